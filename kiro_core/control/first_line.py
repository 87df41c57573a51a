"""The first line of a connection is looked at and not taken away: it tells what the rest will be."""

from __future__ import annotations

from typing import Final

import anyio

from kiro_core.ports import ByteStream

MOST_BYTES = 1024 * 1024
"""What somebody may send before it is known who that is."""


class Begun:
    """Implements `ByteStream`: a connection whose first `line` is known, and is received again."""

    def __init__(self, stream: ByteStream, read: bytes) -> None:
        """Give back what was read of `stream`."""
        line, _, self._behind = read.partition(b"\n")
        self.line: Final = line
        self.send: Final = stream.send
        self.aclose: Final = stream.aclose
        self._read = read
        self._stream = stream

    def skip(self) -> None:
        """Do not give back the first line."""
        self._read = self._behind

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """See `ByteStream.receive`."""
        if not self._read:
            return await self._stream.receive(max_bytes)
        chunk, self._read = self._read[:max_bytes], self._read[max_bytes:]
        return chunk


async def begun(stream: ByteStream, limit_s: float) -> Begun | None:
    """Wait for the first line; None for who ends, is silent for `limit_s` seconds, or sends too much without one."""
    chunks: list[bytes] = []
    with anyio.move_on_after(limit_s):
        while sum(map(len, chunks)) <= MOST_BYTES:
            try:
                chunks.append(await stream.receive())
            except anyio.EndOfStream:
                return None
            if b"\n" in chunks[-1]:
                return Begun(stream, b"".join(chunks))
    return None
