"""Say who holds a session: for messages, and for who may tell that very process something."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from kiro_core.processes import start_token
from kiro_files.files import read_whole

_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
_PROGRAM_CHARACTERS = 64


class Owner(msgspec.Struct):
    """Who holds a session, as written in its lock file.

    `since` is RFC 3339 in UTC; `program` is how people call the process, such as `kiro-core run`;
    `started` tells apart two processes that get the same pid, and is empty where the system does not say.
    """

    epoch: _Count = 0
    pid: _Count = 0
    host: str = ""
    since: str = ""
    program: str = ""
    started: str = ""


def this_process(epoch: int) -> Owner:
    """The owner that we are from now on."""
    since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return Owner(epoch, os.getpid(), os.uname().nodename, since, _program(), start_token(os.getpid()))


def read_owner(lock: Path) -> Owner:
    """What a lock file says; an empty record when it is missing, empty, corrupt or foreign."""
    try:
        return msgspec.json.decode(read_whole(lock), type=Owner)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Owner()


def described(owner: Owner) -> str:
    """The owner in words."""
    if not owner.pid:
        return "another process"
    where = f"pid {owner.pid} on {owner.host} since {owner.since}"
    return f"`{owner.program}`, {where}" if owner.program else where


def as_details(owner: Owner) -> dict[str, Any]:
    """The record as JSON values, and `here`: whether the process of that pid, seen from here, is the owner.

    It is not when it runs on another machine, or in a container that counts its processes anew.
    """
    here = owner.pid > 0 and owner.host == os.uname().nodename and owner.started == start_token(owner.pid)
    return {**msgspec.to_builtins(owner), "here": here}


def _program() -> str:
    """The program's name and its first word, which names a command; never an option or a value of one."""
    called, *words = sys.argv or [""]
    name = Path(called).name
    if not name.isprintable() or name.startswith("-"):
        return ""
    return " ".join([name, *(word for word in words[:1] if word.isalpha())])[:_PROGRAM_CHARACTERS]
