"""Tell in words what the disk refuses, and what a person can do about it."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from kiro_core.errors import Unavailable

_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space, then try again."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space, then try again."),
    errno.EFBIG: ("the file has reached the largest size allowed", "Raise the limit on file sizes (ulimit -f)."),
    errno.EBUSY: ("another process has a file of it in use", "That one may be stopped; see to it, then try again."),
    errno.EMFILE: ("this process may open no more files", "Raise the limit on open files (ulimit -n)."),
    errno.ENFILE: ("the system may open no more files", "End what has many files open, then try again."),
    errno.EROFS: ("the file system is read-only", "Mount it writable, or set another root for the store."),
    errno.EACCES: ("access is denied", "Check who owns the folder of the store."),
    errno.EPERM: ("access is denied", "Check who owns the folder of the store."),
}
_HINT = "Check the disk and its file system, then try again."


def unavailable(error: OSError, failed: str) -> Unavailable:
    """The error for a file operation that failed, in words; `failed` begins its sentence."""
    reason, hint = _REASONS.get(error.errno or 0, (f"the disk answered {error.strerror or str(error)!r}", _HINT))
    return Unavailable(f"{failed}: {reason}.", hint=hint, errno=error.errno)


@contextmanager
def explained(failed: str) -> Iterator[None]:
    """Let an error of the disk out as `Unavailable`; `failed` begins its sentence."""
    try:
        yield
    except Unavailable:
        raise
    except OSError as error:
        raise unavailable(error, failed) from error
