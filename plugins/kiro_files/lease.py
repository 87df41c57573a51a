"""Make sure that a session never has two owners, and say who the owner is.

The kernel decides, by a lock on the lock file and another on the log itself: removing one of the
two files by hand then still gives nobody else the session. The owner record in the lock file is
for messages and for the epoch only; whatever it holds, it never decides who may open.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Annotated

import msgspec

from kiro_core.errors import Fenced, Held
from kiro_files.files import Files, read_whole
from kiro_files.locked import LockedFile

_RECORD_BYTES = 512
_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**53)]


class Owner(msgspec.Struct):
    """Who holds a session, as written in its lock file; `since` is RFC 3339 in UTC."""

    epoch: _Count = 0
    pid: _Count = 0
    host: str = ""
    since: str = ""


class Lease:
    """The two locks of a held session."""

    __slots__ = ("_files", "_lock", "_log", "previous")

    def __init__(self, files: Files, lock: LockedFile, log: LockedFile) -> None:
        """Keep both locks; `previous` is what the lock file says of the owner before."""
        self._files = files
        self._lock = lock
        self._log = log
        self.previous = _read_owner(files)

    @staticmethod
    def take(files: Files) -> Lease:
        """Take both locks, at once or not at all; blocks for the time of a few system calls.

        Raises:
            Held: another owner lives.
            OSError: the files cannot be opened or locked.

        """
        with ExitStack() as undo:
            lock = LockedFile.take(files.lock, os.O_RDWR)
            if lock is None:
                raise _held(files)
            undo.callback(lock.release)
            log = LockedFile.take(files.log, os.O_RDWR | os.O_APPEND)
            if log is None:
                raise _held(files)
            undo.pop_all()
        return Lease(files, lock, log)

    @property
    def log_fd(self) -> int:
        """The log's descriptor, which carries the second lock."""
        return self._log.fd

    def sign(self, epoch: int) -> None:
        """Write who holds the session now; one write of a fixed size, so that readers see one record."""
        since = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        owner = Owner(epoch, os.getpid(), os.uname().nodename, since)
        record = msgspec.json.encode(owner).ljust(_RECORD_BYTES - 1) + b"\n"
        os.pwrite(self._lock.fd, record, 0)
        os.ftruncate(self._lock.fd, len(record))

    def check(self) -> None:
        """Verify that nobody removed or replaced the lock file; costs one `stat`.

        Raises:
            Fenced: somebody did, or this process is a forked child.
            OSError: the file system does not answer.

        """
        if not self._lock.is_current():
            raise Fenced(
                f"The session {self._files.id} was taken away: its lock file was removed or replaced.",
                hint="Stop its agent and open the session again; never delete a lock file by hand.",
                session=self._files.id,
            )

    def release(self) -> None:
        """Give both locks back; idempotent. The files stay: removing them would let two owners in."""
        self._log.release()
        self._lock.release()


def _read_owner(files: Files) -> Owner:
    """What the lock file says; an empty record when it is missing, empty, corrupt or foreign."""
    try:
        return msgspec.json.decode(read_whole(files.lock), type=Owner)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return Owner()


def _held(files: Files) -> Held:
    owner = _read_owner(files)
    who = f"pid {owner.pid} on {owner.host} since {owner.since}" if owner.pid else "another process"
    return Held(
        f"The session {files.id} is held by {who}.",
        hint="Close it there first; when that process ends, the session is free at once.",
        session=files.id,
        owner=msgspec.to_builtins(owner),
    )
