"""One look at a task: from the chunk that a host wants on, as far as one answer goes."""

from __future__ import annotations

import sys
from contextlib import aclosing
from dataclasses import replace

from kiro_core.ports import Desk
from kiro_core.types import SessionId
from kiro_mcp.service.progress import Progress
from kiro_mcp.service.views import Chunk

NONE = sys.maxsize
"""The number of a chunk that never comes."""

_CHUNKS = 1000
_BYTES = 256 * 1024
"""What one answer holds at most; a single chunk may be larger."""


class Reading:
    """Reads on from where a task is known to be, or from its beginning where older chunks are wanted."""

    def __init__(self, desk: Desk, session: SessionId, known: Progress, first: int) -> None:
        """Keep the chunks from number `first` on."""
        self.progress = known.copy() if first >= known.count else known.again()
        self.full = False
        self._worked = False
        self._desk = desk
        self._session = session
        self._first = first
        self._chunks: list[Chunk] = []
        self._bytes = 0

    @property
    def news(self) -> bool:
        """Whether there is a chunk to be told, or the end, or what a tool did while this waited."""
        return bool(self._chunks) or self.progress.ended or self._worked

    def chunks(self) -> list[Chunk]:
        """What was found, the last one marked if it is the task's last."""
        if not self._chunks:
            return []
        *others, last = self._chunks
        final = self.progress.ended and last.index == self.progress.count - 1
        return [*others, replace(last, is_final=final)]

    async def catch_up(self) -> None:
        """Read what is on record.

        Raises:
            KiroError: it cannot be read.

        """
        await self._read(follow=False)

    async def accepted(self, *, follow: bool = True) -> None:
        """Read up to the prompt; with `follow` wait for it, until the session has ended.

        Raises:
            KiroError: it cannot be read.

        """
        if not self.progress.turn:
            await self._read(follow=follow, until_accepted=True)

    async def next(self) -> None:
        """Wait for news, or the session's end.

        Raises:
            KiroError: it cannot be read.

        """
        await self._read(follow=True)

    async def _read(self, *, follow: bool, until_accepted: bool = False) -> None:
        if self._is_enough():
            return
        async with aclosing(self._desk.told(self._session, self.progress.seq, follow=follow)) as items:
            async for item in items:
                chunk = self.progress.follow(item)
                if chunk is not None and chunk.index >= self._first:
                    self._keep(chunk)
                self._worked = self._worked or (follow and self.progress.running and item.kind == "tool")
                if self._is_enough() or (follow and self.news) or (until_accepted and self.progress.turn):
                    return

    def _is_enough(self) -> bool:
        return self.full or self.progress.ended

    def _keep(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._bytes += len(chunk.content)
        self.full = len(self._chunks) >= _CHUNKS or self._bytes >= _BYTES


async def whole_text(desk: Desk, session: SessionId, known: Progress) -> str:
    """All that was said in a task so far.

    Raises:
        KiroError: it cannot be read.

    """
    progress, texts = known.again(), list[str]()
    async with aclosing(desk.told(session, progress.seq)) as items:
        async for item in items:
            if (chunk := progress.follow(item)) is not None:
                texts.append(chunk.content)
            if progress.ended:
                break
    return "".join(texts)
