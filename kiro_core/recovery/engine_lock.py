"""An agent program's own lock on its session, which a killed one leaves behind and its successor respects for ever."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from kiro_core.processes import start_token
from kiro_core.settings import kiro_home
from kiro_core.types import Engine

_LOCK_BYTES = 65536
_SLACK_S = 2.0
"""The system tells in whole seconds when it was started, and a program may note its own start as the lock's."""


class Moved(NamedTuple):
    """A lock file that was moved aside: from where, to where, whose it was, and why."""

    lock: str
    to: str
    pid: int
    reason: str


class _Lock(NamedTuple):
    content: bytes
    changed: float

    @property
    def fields(self) -> dict[str, Any]:
        try:
            fields: Any = msgspec.json.decode(self.content)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {}
        return fields if isinstance(fields, dict) else {}

    @property
    def pid(self) -> int | None:
        pid = self.fields.get("pid")
        return pid if isinstance(pid, int) and not isinstance(pid, bool) and pid > 0 else None

    @property
    def written(self) -> float:
        """When, in seconds since 1970: as it says itself (RFC 3339), else as its file does."""
        try:
            told = datetime.fromisoformat(str(self.fields.get("started_at")))
        except ValueError:
            return self.changed
        return told.timestamp() if told.tzinfo else self.changed


def lock_path(engine: Engine, session: str, environ: Mapping[str, str]) -> Path | None:
    """The lock file of an agent's session, or None: `{kiro_home}` and `{session}` of the engine's `lock` filled in.

    Kiro's folder is the one that the agent program sees: `environ` less what the engine takes away, and
    its own variables. A session id that is no file name, as the agent made it up, has no lock.
    """
    if not engine.lock or session in ("", ".", "..") or "/" in session or "\0" in session:
        return None
    home = kiro_home({name: value for name, value in environ.items() if name not in engine.unset} | dict(engine.env))
    template = Path(engine.lock.replace("{kiro_home}", str(home))).expanduser()
    return Path(str(template).replace("{session}", session))


def free_engine_lock(lock: Path) -> Moved | None:
    """Move a lock file aside when the process that wrote it is no more; blocks for a few system calls.

    The file is a JSON object with a `pid` (kiro-cli: `{"pid": 4242, "started_at": ...}`). A process of
    that pid that began after the lock was written is not its owner; one that began before may be, whatever
    it is called, and keeps it. So does one whose start nobody tells (macOS), and a lock without a readable
    pid stays as well. The file does not tell where its pid counts: a lock of another machine or container
    on a shared disk is taken for one of this one. A clock that was set forward by more than two seconds
    since the lock was written makes its living owner look too young.

    Raises:
        OSError: it cannot be read or moved.

    """
    try:
        found = _read(lock)
        if found.pid is None or not (reason := _why_stale(found.pid, found.written)):
            return None
        to = lock.with_name(f"{lock.name}.stale-{datetime.now(UTC):%Y%m%dT%H%M%S%f}")
        lock.rename(to)
    except FileNotFoundError:
        return None
    try:
        moved = _read(to)
    except OSError:
        _put_back(to, lock)
        raise
    if moved != found:
        # Somebody took the session in between, and has it.
        _put_back(to, lock)
        return None
    return Moved(str(lock), str(to), found.pid, reason)


def _read(path: Path) -> _Lock:
    with path.open("rb") as file:
        return _Lock(file.read(_LOCK_BYTES), os.fstat(file.fileno()).st_mtime)


def _put_back(moved: Path, lock: Path) -> None:
    try:
        os.link(moved, lock)
    except FileExistsError:
        moved.unlink()  # a newer one is there already
    except OSError:
        moved.rename(lock)  # a disk without hard links
    else:
        moved.unlink()


def _why_stale(pid: int, written: float) -> str:
    ended = f"its process {pid} has ended"
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ended
    except OverflowError:
        return ""
    except PermissionError:
        ended = ""  # another user's process, of which the system may hide everything
    if not (token := start_token(pid)):
        return ended if Path("/proc/self/stat").exists() else ""
    booted = _booted()
    if booted is None or booted + int(token) / os.sysconf("SC_CLK_TCK") <= written + _SLACK_S:
        return ""
    return f"process {pid} began after the lock was written"


def _booted() -> int | None:
    """When the machine was started, in seconds since 1970 (proc(5), `btime`)."""
    try:
        lines = Path("/proc/stat").read_bytes().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) for line in lines if line.startswith(b"btime ")), None)
