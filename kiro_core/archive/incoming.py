"""Read chunks of bytes as lines and pieces, without keeping more than the one that is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator

from kiro_core.errors import ArchiveInvalid


class Incoming:
    """The bytes of an archive in their order, whatever chunks they come in."""

    def __init__(self, chunks: AsyncIterator[bytes]) -> None:
        """Take chunks when they are needed, none before."""
        self._chunks = chunks
        self._buffer = bytearray()
        self._at = 0

    async def exactly(self, size: int, what: str) -> bytes:
        """The next `size` bytes.

        Raises:
            ArchiveInvalid: it ends before, in `what`.

        """
        while len(self._buffer) - self._at < size:
            if not await self._more():
                raise _ends(what)
        return self._take(size)

    async def line(self, limit: int, what: str) -> bytes:
        """The next line with its newline, of at most `limit` bytes.

        Raises:
            ArchiveInvalid: there is no newline in so many bytes, or it ends before, in `what`.

        """
        searched = 0
        while (newline := self._buffer.find(b"\n", self._at + searched)) < 0:
            searched = len(self._buffer) - self._at
            if searched >= limit:
                break
            if not await self._more():
                raise _ends(what)
        if newline < 0 or newline - self._at >= limit:
            raise ArchiveInvalid(f"The archive has a line that is too long, in {what}.")
        return self._take(newline + 1 - self._at)

    async def rest(self, limit: int) -> bytes:
        """All that is left, at most `limit` bytes and one chunk."""
        while len(self._buffer) - self._at < limit and await self._more():
            pass
        return self._take(len(self._buffer) - self._at)

    async def _more(self) -> bool:
        del self._buffer[: self._at]
        self._at = 0
        async for chunk in self._chunks:
            self._buffer += chunk
            return True
        return False

    def _take(self, size: int) -> bytes:
        self._at += size
        return bytes(self._buffer[self._at - size : self._at])


def _ends(what: str) -> ArchiveInvalid:
    return ArchiveInvalid(f"The archive ends too early, in {what}.", hint="Copy it again, or export it again.")
