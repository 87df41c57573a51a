"""An agent program's own lock on its session, which a killed one leaves behind and its successor respects for ever."""

from __future__ import annotations

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kiro_core.processes import start_token

_LOCK_BYTES = 65536


class Moved(NamedTuple):
    """A lock file that was moved aside: from where, to where, whose it was, and why."""

    lock: str
    to: str
    pid: int
    reason: str


def lock_path(template: str, home: Path, session: str) -> Path:
    """The lock file of an agent's session: `{kiro_home}` and `{session}` of the template filled in."""
    return Path(template.replace("{kiro_home}", str(home)).replace("{session}", session)).expanduser()


def free_engine_lock(lock: Path, program: str) -> Moved | None:
    """Move a lock file aside when the process that it names is no more; blocks for a few system calls.

    The file is a JSON object with a `pid` (kiro-cli: `{"pid": 4242, "started_at": ...}`). `program` is the
    agent program's file name: a process of that pid that is another program is not the owner. A lock
    without a readable pid, or of a process that may be the owner, stays.

    Raises:
        OSError: it cannot be read or moved.

    """
    content = _content(lock)
    pid = _pid(content)
    if pid is None or not (reason := _why_stale(pid, program)):
        return None
    to = lock.with_name(f"{lock.name}.stale-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
    lock.rename(to)
    if _content(to) != content:
        # Somebody took the session in between, and has it.
        with suppress(FileExistsError):
            os.link(to, lock)
        to.unlink()
        return None
    return Moved(str(lock), str(to), pid, reason)


def _content(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            return file.read(_LOCK_BYTES)
    except FileNotFoundError:
        return None


def _pid(content: bytes | None) -> int | None:
    try:
        lock: Any = msgspec.json.decode(content or b"")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    pid = lock.get("pid") if isinstance(lock, dict) else None
    return pid if isinstance(pid, int) and not isinstance(pid, bool) and pid > 0 else None


def _why_stale(pid: int, program: str) -> str:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return f"its process {pid} has ended"
    except (PermissionError, OverflowError):
        return ""
    if not start_token(pid):
        return f"its process {pid} has ended" if Path("/proc/self/stat").exists() else ""
    names = _names(pid)
    if names and program and not any(name.startswith(program) for name in names):
        return f"process {pid} is another program, {names[0]}"
    return ""


def _names(pid: int) -> list[str]:
    """The file names in a process's command line, its program's first; none where they cannot be read."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        running = Path(f"/proc/{pid}/exe").readlink().name
    except OSError:
        return []
    return [running, *(Path(os.fsdecode(word)).name for word in words if word)]
