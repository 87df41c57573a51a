"""Hold kernel locks that end with their process: no pid file to go stale, nothing to clean up after a kill.

`flock` belongs to the open file, not to the process: a forked child that inherits the descriptor
would keep the lock alive, so it closes them; a started program never sees them (close-on-exec).
The lock is on the inode, not on the name: whoever locked a file that was removed meanwhile holds
nothing, which is why the name is compared with the descriptor after locking and before writing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from weakref import WeakSet

from kiro_files.files import open_private

_ATTEMPTS = 100
_PACE_S = 0.002
_guard = threading.RLock()
_all: WeakSet[LockedFile] = WeakSet()


class LockedFile:
    """An open file with the kernel's exclusive lock on it.

    It releases itself when nobody refers to it any more, which is what happens when a task is
    cancelled from outside while a worker thread takes the lock on its behalf.
    """

    __slots__ = ("__weakref__", "_identity", "_name", "fd")

    def __init__(self, path: Path, flags: int) -> None:
        """Open the file, created when missing; `take` also locks it."""
        self._name = str(path)
        self.fd = -1
        with _guard:
            self.fd, status = open_private(path, flags)
            _all.add(self)
        self._identity = status.st_dev, status.st_ino

    @staticmethod
    def take(path: Path, flags: int) -> LockedFile | None:
        """Open and lock; None when somebody else holds it, in this process or in another.

        Raises:
            OSError: the file cannot be opened, or the file system knows no locks.

        """
        for _ in range(_ATTEMPTS):
            file = LockedFile(path, flags)
            try:
                fcntl.flock(file.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.close()
                return None
            if file.is_current():
                return file
            file.release()
        return None

    def is_current(self) -> bool:
        """Whether it is open and its name still leads to it; False after somebody removed or replaced it."""
        try:
            status = os.stat(self._name)  # noqa: PTH116 - a Path costs twice as much, once per append
        except FileNotFoundError:
            return False
        return self.fd >= 0 and (status.st_dev, status.st_ino) == self._identity

    def release(self) -> None:
        """Unlock and close; idempotent."""
        if self.fd >= 0:
            # A program that is being started at this moment has a copy until its exec: closing alone
            # would leave the lock to that copy.
            fcntl.flock(self.fd, fcntl.LOCK_UN)
        self.close()

    def close(self) -> None:
        """Close without unlocking, as a forked child must: its parent still holds the lock."""
        with _guard:
            fd, self.fd = self.fd, -1
            if fd >= 0:
                os.close(fd)

    def __del__(self) -> None:
        if self.fd >= 0:
            self.release()


@contextmanager
def locked(path: Path, flags: int, limit_s: float) -> Iterator[LockedFile]:
    """A locked file for the time of the block; who has it is waited for, in a thread that may wait.

    Raises on entering:
        OSError: somebody has it for longer than `limit_s` seconds (EBUSY); or as `LockedFile.take`.

    """
    until = time.monotonic() + limit_s
    while (file := LockedFile.take(path, flags)) is None:
        if time.monotonic() >= until:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        time.sleep(_PACE_S)  # the call that waits knows no bound
    try:
        yield file
    finally:
        file.release()


def _after_fork_in_child() -> None:
    for file in tuple(_all):
        file.close()
    _guard.release()


# The guard makes "open and note" and "forget and close" single steps for a fork in another thread.
os.register_at_fork(before=_guard.acquire, after_in_parent=_guard.release, after_in_child=_after_fork_in_child)
