"""A connection without a machine in between: two ends of one byte stream, and a process that is only its streams."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio

from kiro_core import PipeStream
from kiro_core.rpc import Stream
from kiro_core.types import Exit


@asynccontextmanager
async def loopback() -> AsyncIterator[tuple[PipeStream, PipeStream]]:
    """Two connected byte streams with `receive`, `send`, `send_eof` and `aclose`, closed behind the block.

    What nobody receives fills a pipe, some 64 KiB, and then `send` waits, as with a real process.
    """
    (their_in, our_out), (our_in, their_out) = os.pipe(), os.pipe()
    for fd in (their_in, our_out, our_in, their_out):
        os.set_blocking(fd, False)
    ours, theirs = PipeStream(our_in, our_out), PipeStream(their_in, their_out)
    try:
        yield ours, theirs
    finally:
        await ours.aclose()
        await theirs.aclose()


class StandInProcess:
    """Implements `Process` over a stream, with nothing behind it; `end` says when and how it has ended."""

    identity = "stand-in"

    def __init__(self, stream: Stream, *, bite: int = 65536) -> None:
        """Be one end of a stream; no `receive` gives more than `bite` bytes."""
        self.exit: Exit | None = None
        self._stream = stream
        self._bite = bite
        self._ended = anyio.Event()

    async def wait(self) -> Exit:
        """Wait for `end`."""
        await self._ended.wait()
        return self.exit or Exit(0)

    def stderr_tail(self) -> str:
        """It never says anything."""
        return ""

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Receive what the other end sent."""
        return await self._stream.receive(min(max_bytes, self._bite))

    async def send(self, item: bytes) -> None:
        """Send to the other end."""
        await self._stream.send(item)

    async def send_eof(self) -> None:
        """Let the other end see the end of its input, where the stream can say that."""
        if isinstance(self._stream, PipeStream):
            await self._stream.send_eof()

    def end(self, code: int = 0) -> None:
        """Let it have ended with that status."""
        self.exit = Exit(code)
        self._ended.set()
