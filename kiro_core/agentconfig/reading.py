"""Files that somebody else may have written are read whole, but never more than a bound and never a device."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_BYTES = 1 << 20
"""The largest configuration or prompt that is read: 1 MiB."""


class Unreadable(Exception):
    """Why a file cannot be used, as the predicate of a sentence: with the field and the line where that is known."""

    is_text = False
    """Whether it is a text that nobody meant to be a configuration."""

    def __init__(self, reason: str, *, field: str = "", line: int = 0) -> None:
        """`line` counts from 1; 0 is unknown."""
        super().__init__(reason)
        self.field = field
        self.line = line


def read_text(path: Path, limit: int = MAX_BYTES) -> tuple[str, bytes]:
    """The text of a UTF-8 file (a byte order mark is dropped) and its bytes; symbolic links are followed.

    Raises:
        Unreadable: missing, forbidden, not a regular file, larger than `limit` bytes, not UTF-8.

    """
    try:
        raw = _read(path, limit)
        return raw.decode("utf-8-sig"), raw
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 at byte {error.start}") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _read(path: Path, limit: int) -> bytes:
    # Without O_NONBLOCK, opening a named pipe waits for a writer that may never come.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unreadable("is not a regular file")
        raw = file.read(limit + 1)
    if len(raw) > limit:
        raise Unreadable(f"is larger than {limit} bytes")
    return raw
