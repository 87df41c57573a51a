"""Who holds a session, as the database says and as people are told."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kiro_core.errors import Held
from kiro_core.frames import decode, encode
from kiro_core.processes import ProcessMark, mark_of
from kiro_core.types import Contact, SessionId


def this_process(epoch: int, contact: Contact) -> bytes:
    """The owner that this process is from now on, as JSON."""
    return encode(
        {
            "epoch": epoch,
            **mark_of(os.getpid())._asdict(),
            "host": os.uname().nodename,
            "since": now(),
            "program": Path(sys.argv[0]).name.removeprefix("-c") if sys.argv else "",
            "face": contact.face,
            "socket": contact.socket,
        }
    )


def now() -> str:
    """RFC 3339 in UTC."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def owner_of(text: bytes) -> dict[str, Any]:
    """The fields that `Held.details["owner"]` promises, empty where damage has taken them."""
    try:
        found = decode(text)
    except ValueError:
        found = None
    known = found if isinstance(found, dict) else {}
    numbers = {name: known.get(name) or 0 for name in ("epoch", "pid")}
    names = ("started", "boot", "namespace", "host", "since", "program", "face", "socket")
    owner = {**numbers, **{name: str(known.get(name) or "") for name in names}}
    return {**owner, "here": mark_in(owner).alive is True}


def mark_in(owner: Mapping[str, Any]) -> ProcessMark:
    """The process of an owner, as far as it can be proven."""
    return ProcessMark(owner["pid"], owner["started"], owner["boot"], owner["namespace"])


def held(session: SessionId, owner: Mapping[str, Any], reason: str = "", hint: str = "") -> Held:
    """The error for a session that another owner has; `reason` continues its sentence."""
    who = f"pid {owner['pid']} on {owner['host']} since {owner['since']}" if owner["pid"] else "another process"
    called = f"`{owner['program']}`, {who}" if owner["program"] else who
    return Held(
        f"The session {session} is held by {called}{reason}.",
        hint=hint or "Close it there first; when that process ends, the session is free at once.",
        session=session,
        owner=dict(owner),
    )
