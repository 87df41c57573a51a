"""Tell who lives, by a pipe that an owner holds open: the kernel closes it when its process ends, however that happens.

A row of the database can say who holds a session, but not whether that one still lives: a process that is killed
changes no row. A time after which a lease ends would have everybody wait for it, and a lock of the kernel (`flock`)
cannot be waited for without a thread or process each. A named pipe whose writing end the owner holds can: whoever has
the reading end is told by the event loop when the last writer is gone, at once, on every loop.

Only a transaction that writes takes a lease, and SQLite has one of these at a time: so two never take one session.
Should somebody remove the pipe of an owner, the next one gets in, and the epoch in the database keeps the first from
writing anything from then on.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import anyio


class Lease:
    """The writing end of a pipe that is ours alone; it is released when nobody refers to it any more.

    That is what happens where a transaction fails behind its taking, or its task is cancelled from outside of anyio.
    """

    def __init__(self, folder: Path) -> None:
        """Make a pipe of a new name, and hold it open.

        Raises:
            OSError: the folder cannot be written.

        """
        self._fd, self._pid = -1, os.getpid()
        self.path = folder / uuid4().hex
        folder.mkdir(mode=0o700, exist_ok=True)
        os.mkfifo(self.path, 0o600)
        # Read and write: opening waits for nobody at the other end then.
        self._fd = os.open(self.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def release(self) -> None:
        """Let everybody know; once or again."""
        fd, self._fd = self._fd, -1
        if fd < 0:
            return
        if os.getpid() == self._pid:  # in a process that was forked from the owner, it is not ours to give back
            # First the name: a program that we are starting right now has a copy of the descriptor until it begins.
            with suppress(FileNotFoundError):
                self.path.unlink()
        os.close(fd)

    def __del__(self) -> None:
        self.release()


def is_held(path: Path) -> bool:
    """Whether an owner holds that pipe open.

    Raises:
        OSError: it cannot be opened.

    """
    try:
        fd = _reading_end(path)
    except FileNotFoundError:
        return False
    try:
        return _has_writer(fd)
    finally:
        os.close(fd)


async def until_free(path: Path) -> None:
    """Wait until nobody holds that pipe open.

    Raises:
        OSError: it cannot be opened.

    """
    try:
        fd = _reading_end(path)
    except FileNotFoundError:
        return
    try:
        while _has_writer(fd):
            await anyio.wait_readable(fd)
    finally:
        os.close(fd)


def _reading_end(path: Path) -> int:
    return os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)


def _has_writer(fd: int) -> bool:
    """Nothing is ever written, so there is nothing to read: the end of the stream, or else a writer."""
    try:
        return os.read(fd, 1) != b""
    except BlockingIOError:
        return True
