"""Count how often files of a folder are replaced by others under their names: by inotify(7), from outside."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_IN_MOVED_TO = 0x80


@contextmanager
def replaced(folder: Path) -> Iterator[Callable[[], int]]:
    """How many files took the name of another one since the block was entered."""
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
    if fd < 0 or libc.inotify_add_watch(fd, os.fsencode(folder), _IN_MOVED_TO) < 0:
        raise OSError(ctypes.get_errno(), f"inotify does not watch {folder}")
    count = 0

    def told() -> int:
        nonlocal count
        with suppress(BlockingIOError):
            while events := os.read(fd, 1 << 16):
                count += _events(events)
        return count

    try:
        yield told
    finally:
        os.close(fd)


def _events(buffer: bytes) -> int:
    """How many `struct inotify_event` there are: a head of 16 bytes that ends with the length of the name."""
    found = at = 0
    while at < len(buffer):
        at += 16 + int.from_bytes(buffer[at + 12 : at + 16], "little")
        found += 1
    return found
