"""Drain a child's stderr for ever, and keep the end of it for error messages."""

from __future__ import annotations

import os
import re

import anyio

MAX_LINES = 40
MAX_BYTES = 8192
_CHUNK = 65536
_CHUNKS_AT_THE_END = 64

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]"  # colours and cursor moves
    r"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"  # titles and links
    r"|\x1b[ -/]*[0-~]"  # other escapes
    r"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"
)


class Tail:
    """The last lines of a non-blocking descriptor, at most `MAX_LINES` and `MAX_BYTES`."""

    def __init__(self, fd: int) -> None:
        """Read from `fd`, which stays the caller's."""
        self._fd = fd
        self._kept = b""
        self._cut = False

    async def fill(self) -> None:
        """Read until the other side closes, so that it never blocks on a full pipe."""
        while self._read() != 0:
            await anyio.wait_readable(self._fd)

    def catch_up(self) -> None:
        """Read what is in the pipe already; bounded, since somebody may still write."""
        for _ in range(_CHUNKS_AT_THE_END):
            if not self._read():
                return

    def text(self) -> str:
        """The lines kept, without escape codes; a line that was cut in front is left out."""
        lines = _CONTROL.sub("", self._kept.decode(errors="replace")).splitlines()
        return "\n".join(lines[1 if self._cut and len(lines) > 1 else 0 :][-MAX_LINES:])

    def _read(self) -> int | None:
        """Take a chunk; its size, 0 at the end of the stream, None when there is nothing now."""
        try:
            chunk = os.read(self._fd, _CHUNK)
        except BlockingIOError:
            return None
        kept = self._kept + chunk
        self._cut = self._cut or len(kept) > MAX_BYTES
        self._kept = kept[-MAX_BYTES:]
        return len(chunk)
