"""Drain a stderr for ever, so that nobody blocks on it, and keep the end of it for error messages."""

from __future__ import annotations

import os

import anyio

_BYTES = 8192
_LINES = 40


class Tail:
    """The last lines of a non-blocking descriptor."""

    def __init__(self, fd: int) -> None:
        """Read from `fd`, which stays the caller's."""
        self._fd = fd
        self._kept = b""
        self._cut = False

    async def fill(self) -> None:
        """Read until the other side closes."""
        while True:
            await anyio.wait_readable(self._fd)
            chunk = os.read(self._fd, 65536)
            if not chunk:
                return
            kept = self._kept + chunk
            self._cut = self._cut or len(kept) > _BYTES
            self._kept = kept[-_BYTES:]

    def text(self) -> str:
        """The lines kept; one that was cut in front is left out."""
        lines = self._kept.decode(errors="replace").splitlines()
        return "\n".join(lines[1 if self._cut and len(lines) > 1 else 0 :][-_LINES:])
