"""Make sure that a session never has two owners, and say who the owner is.

The kernel decides, by a lock on the lock file and another on the log itself: removing one of the
two files by hand then still gives nobody else the session. The owner record in the lock file is
for messages and for the epoch only; whatever it holds, it never decides who may open.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Mapping
from typing import Any

from kiro_core.errors import Fenced, Held
from kiro_core.types import Contact
from kiro_files.files import Files
from kiro_files.locked import LockedFile
from kiro_files.owner import Owner, as_details, described, encode_owner, read_owner, this_process
from kiro_files.probing import require_locks


class Lease:
    """The two locks of a held session."""

    __slots__ = ("_files", "_lock", "_log")

    def __init__(self, files: Files, lock: LockedFile, log: LockedFile) -> None:
        """Keep both locks."""
        self._files = files
        self._lock = lock
        self._log = log

    @staticmethod
    def take(files: Files) -> Lease:
        """Take both locks, at once or not at all; blocks for the time of a few system calls.

        Raises:
            Held: another owner lives.
            Unavailable: locks are worth nothing in this folder.
            OSError: the files cannot be opened or locked.

        """
        require_locks(files.folder)
        lock = LockedFile.take(files.lock, os.O_RDWR)
        if lock is None:
            raise held(files)
        try:
            log = LockedFile.take(files.log, os.O_RDWR | os.O_APPEND)
        except BaseException:
            lock.release()
            raise
        if log is None:
            lock.release()
            raise held(files)
        return Lease(files, lock, log)

    @property
    def previous(self) -> Owner:
        """What the lock file says of the owner: the one before us, until we sign."""
        return read_owner(self._files.lock)

    @property
    def log_fd(self) -> int:
        """The log's descriptor, which carries the second lock."""
        return self._log.fd

    def sign(self, epoch: int, contact: Contact) -> None:
        """Write who holds the session now; one write of a fixed size, so that readers see one record."""
        record = encode_owner(this_process(epoch, contact))
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


def holder(files: Files) -> Mapping[str, Any]:
    """Who has the lock at this moment, empty for nobody; whoever opens it in this very moment is refused once.

    Raises:
        OSError: the lock cannot be tried.

    """
    try:
        lock = os.open(files.lock, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return {}
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(lock, fcntl.LOCK_UN)
    except BlockingIOError:
        return as_details(read_owner(files.lock))
    finally:
        os.close(lock)
    return {}


def held(files: Files) -> Held:
    """The error for a session that another owner has; it names the owner and says what to do."""
    owner = read_owner(files.lock)
    details = as_details(owner)
    return Held(
        f"The session {files.id} is held by {described(owner)}.",
        hint=_what_to_do(files, owner, here=details["here"]),
        session=files.id,
        owner=details,
    )


def _what_to_do(files: Files, owner: Owner, *, here: bool) -> str:
    close = "Close it there first; when that process ends, the session is free at once."
    if not here or owner.pid == os.getpid():
        return close
    asked = f"{close} `kiro-core sessions takeover {files.id} --force`"
    return f"{asked} takes it away." if owner.socket else f"{asked} ends it, with all its sessions."
