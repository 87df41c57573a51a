"""How much a pipe holds: a flood goes through a wide one in a quarter of the steps."""

from __future__ import annotations

import fcntl
from fcntl import ioctl
from termios import FIONREAD

_WIDEST = 256 * 1024
"""Wider ones gained nothing when measured; and all pipes of a user share 64 MiB, which is why none begins so wide."""

_GET: int | None = getattr(fcntl, "F_GETPIPE_SZ", None)
_SET: int | None = getattr(fcntl, "F_SETPIPE_SZ", None)
_EMPTY = b"\0" * 4


class Width:
    """What one pipe holds, in bytes; only Linux tells, so elsewhere it is 0."""

    def __init__(self, fd: int) -> None:
        """Ask about one end."""
        self.bytes: int = fcntl.fcntl(fd, _GET) if _GET is not None else 0
        self._may_grow = _SET is not None

    def grow(self, fd: int, size: int) -> bool:
        """Whether the pipe holds so much, wider from now on if it has to be and may be (pipe(7), "Pipe capacity").

        Who has the other end may have made it another width since.
        """
        if _GET is not None:
            self.bytes = fcntl.fcntl(fd, _GET)
        if self.bytes < size <= _WIDEST and self._may_grow and _SET is not None:
            try:
                self.bytes = fcntl.fcntl(fd, _SET, _WIDEST)
            except OSError:  # its user has many already
                self._may_grow = False
        return size <= self.bytes


def is_empty(fd: int) -> bool:
    """Whether nothing waits in a pipe."""
    return ioctl(fd, FIONREAD, _EMPTY) == _EMPTY
