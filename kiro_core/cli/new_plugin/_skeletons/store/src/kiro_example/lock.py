"""Who holds a session is who has a lock of the kernel: it ends with its process, and so nothing stale is left."""

import fcntl
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio
import msgspec
from kiro_core.errors import Held

from .files import LOCK, read_owner

# Only who takes the lock learns that it is free, and that blocks: a thread that blocks cannot be taken back, a process
# can.
_WAITER = "import fcntl; fcntl.flock(0, fcntl.LOCK_SH)"


@contextmanager
def holding(place: Path, session: str) -> Iterator[None]:
    """Hold a session's lock.

    Raises on entering:
        Held: somebody has it, here or in another process.
        FileNotFoundError: there is no such session.

    """
    lock = os.open(place / LOCK, os.O_RDWR)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise held(place, session) from None
        # It may have been deleted, and even made anew, between opening and locking.
        if not os.path.samestat(os.fstat(lock), os.stat(place / LOCK)):
            raise FileNotFoundError(place)
        try:
            yield
        finally:
            # Closing leaves the lock to a program that is being started at this moment, and has a copy.
            fcntl.flock(lock, fcntl.LOCK_UN)
    finally:
        os.close(lock)


def is_held(place: Path) -> bool:
    """Whether somebody has the lock; who opens the session at this very moment is refused once."""
    lock = os.open(place / LOCK, os.O_RDWR)
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        fcntl.flock(lock, fcntl.LOCK_UN)
    except BlockingIOError:
        return True
    finally:
        os.close(lock)
    return False


def held(place: Path, session: str) -> Held:
    """The error for who comes second."""
    owner = read_owner(place)
    sentence = f"The session {session} is held by process {owner.pid}."
    return Held(sentence, hint="Close it there, or wait until it is free.", owner=msgspec.to_builtins(owner))


async def wait_until_free(place: Path) -> None:
    """Wait until nobody has the lock; who is cancelled ends the process that waits for it."""
    lock = os.open(place / LOCK, os.O_RDONLY)
    try:
        waiter = await anyio.open_process([sys.executable, "-I", "-S", "-c", _WAITER], stdin=lock)
    finally:
        os.close(lock)
    async with waiter:
        await waiter.wait()
