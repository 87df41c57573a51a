"""Make sure that a session never has two owners, and say who the owner is.

The kernel decides, by a lock on the lock file and another on the log itself: removing one of the
two files by hand then still gives nobody else the session. The owner record in the lock file is
for messages and for the epoch only; whatever it holds, it never decides who may open.
"""

from __future__ import annotations

import os
from contextlib import ExitStack

import msgspec

from kiro_core.errors import Fenced, Held
from kiro_files.files import Files
from kiro_files.locked import LockedFile
from kiro_files.owner import as_details, described, read_owner, this_process

_RECORD_BYTES = 512


class Lease:
    """The two locks of a held session."""

    __slots__ = ("_files", "_lock", "_log", "previous")

    def __init__(self, files: Files, lock: LockedFile, log: LockedFile) -> None:
        """Keep both locks; `previous` is what the lock file says of the owner before."""
        self._files = files
        self._lock = lock
        self._log = log
        self.previous = read_owner(files.lock)

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
        record = msgspec.json.encode(this_process(epoch)).ljust(_RECORD_BYTES - 1) + b"\n"
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

    def discard(self) -> None:
        """Remove the lock file, as the last file of a session that is being deleted.

        Only here, and only by its owner: who opened it before finds after locking that its name leads
        elsewhere, and begins anew.
        """
        self.check()
        self._files.lock.unlink()

    def release(self) -> None:
        """Give both locks back; idempotent. The files stay: removing them would let two owners in."""
        self._log.release()
        self._lock.release()


def _held(files: Files) -> Held:
    owner = read_owner(files.lock)
    return Held(
        f"The session {files.id} is held by {described(owner)}.",
        hint="Close it there first; when that process ends, the session is free at once.",
        session=files.id,
        owner=as_details(owner),
    )
