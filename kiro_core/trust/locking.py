"""One writer at a time, so that two answers at the same moment both count."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kiro_core.errors import Unavailable

LIMIT_S = 5.0
_PACE_S = 0.01


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file, which stands beside it: the file itself is replaced when it is written.

    Raises on entering:
        Unavailable: the lock cannot be made, or somebody holds it for longer than `LIMIT_S`.

    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise Unavailable(f"{path} cannot be locked: {error.strerror}.") from error
    try:
        _acquire(lock, path)
        yield
    finally:
        os.close(lock)


def _acquire(lock: int, path: Path) -> None:
    until = time.monotonic() + LIMIT_S
    while True:
        try:
            return fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > until:
                hint = "Another process is writing it; try again."
                raise Unavailable(f"{path} is locked for longer than {LIMIT_S:g} s.", hint=hint) from error
        time.sleep(_PACE_S)  # the call that waits knows no bound
