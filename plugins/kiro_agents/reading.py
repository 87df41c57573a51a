"""Files that somebody else may have written are read whole, but never more than a bound and never a device."""

from __future__ import annotations

import os
import stat
from pathlib import Path

MAX_BYTES = 1 << 20
"""The largest configuration or prompt that is read: 1 MiB."""


class Unreadable(Exception):
    """Why a file cannot be read, as the predicate of a sentence; it never leaves this plugin."""


def read_text(path: Path) -> tuple[str, bytes]:
    """The text of a UTF-8 file (a byte order mark is dropped) and its bytes; symbolic links are followed.

    Raises:
        Unreadable: missing, forbidden, not a regular file, larger than `MAX_BYTES`, not UTF-8.

    """
    try:
        raw = _read(path)
        return raw.decode("utf-8-sig"), raw
    except UnicodeDecodeError as error:
        raise Unreadable(f"is not UTF-8 at byte {error.start}") from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the path
        raise Unreadable(f"cannot be read: {getattr(error, 'strerror', None) or error}") from error


def _read(path: Path) -> bytes:
    # Without O_NONBLOCK, opening a named pipe waits for a writer that may never come.
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise Unreadable("is not a regular file")
        raw = file.read(MAX_BYTES + 1)
    if len(raw) > MAX_BYTES:
        raise Unreadable(f"is larger than {MAX_BYTES} bytes")
    return raw
