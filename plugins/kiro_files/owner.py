"""Say who holds a session: for messages, and for who may tell that very process something."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import msgspec

from kiro_core.processes import ProcessMark, mark_of
from kiro_core.types import Contact

RECORD_BYTES = 1024
"""What a record takes in its file, always the same, so that one write replaces one whole."""

_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]
_PROGRAM_CHARACTERS = 64
_FACE_CHARACTERS = 32
_SOCKET_CHARACTERS = 256


class Owner(msgspec.Struct):
    """Who holds a session, as written in its lock file.

    `since` is RFC 3339 in UTC; `program` is how people call the process, such as `kiro-core run`;
    `started`, `boot` and `namespace` tell it apart from any other that has its pid, and are empty where
    the system does not say; `face` and `socket` are those of its `Contact`.
    """

    epoch: _Count = 0
    pid: _Count = 0
    started: str = ""
    boot: str = ""
    host: str = ""
    namespace: str = ""
    since: str = ""
    program: str = ""
    face: str = ""
    socket: str = ""

    @property
    def mark(self) -> ProcessMark:
        """The process, as far as it can be proven."""
        return ProcessMark(self.pid, self.started, self.boot, self.namespace)


def this_process(epoch: int, contact: Contact) -> Owner:
    """The owner that we are from now on."""
    since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    pid, started, boot, namespace = mark_of(os.getpid())
    host, face = os.uname().nodename, contact.face[:_FACE_CHARACTERS]
    socket = contact.socket if len(contact.socket) <= _SOCKET_CHARACTERS else ""
    return Owner(epoch, pid, started, boot, host, namespace, since, _program(), face, socket)


def encode_owner(owner: Owner) -> bytes:
    """The record as it stands in the lock file."""
    return msgspec.json.encode(owner).ljust(RECORD_BYTES - 1) + b"\n"


def read_owner(lock: Path) -> Owner:
    """What a lock file says; an empty record when it is missing, empty, corrupt or foreign."""
    try:
        # Neither a pipe of that name is waited for, nor a file of any size read.
        fd = os.open(lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            return msgspec.json.decode(os.read(fd, 2 * RECORD_BYTES), type=Owner)
        finally:
            os.close(fd)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Owner()


def described(owner: Owner) -> str:
    """The owner in words."""
    if not owner.pid:
        return "another process"
    where = f"pid {owner.pid} on {owner.host} since {owner.since}"
    return f"`{owner.program}`, {where}" if owner.program else where


def as_details(owner: Owner) -> dict[str, Any]:
    """The record as JSON values, and `here`: whether it is proven that the process of that pid is the owner.

    It is not when it runs on another machine, or in a container that counts its processes anew.
    """
    return {**msgspec.to_builtins(owner), "here": owner.mark.alive is True}


def _program() -> str:
    """The program's name and its first word, which names a command; never an option or a value of one."""
    called, *words = sys.argv or [""]
    name = Path(called).name
    if not name.isprintable() or name.startswith("-"):
        return ""
    return " ".join([name, *(word for word in words[:1] if word.isalpha())])[:_PROGRAM_CHARACTERS]
