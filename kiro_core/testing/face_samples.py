"""A face that serves in this process, whose stdin and stdout are the test's then, and a desk that counts clients."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import anyio

from kiro_core import PipeStream
from kiro_core.errors import KiroError, unwrapped
from kiro_core.ports import Agent, Attachable, Client, Desk, Face

BOUND_S = 30


class WatchedDesk:
    """A desk of which it is known how many clients are attached; with `refusal` nobody can be."""

    def __init__(self, desk: Attachable, refusal: KiroError | None = None) -> None:
        """Stand in front of a desk."""
        self.attached: int = 0
        self._desk = desk
        self._refusal = refusal
        self._changed = anyio.Event()

    @asynccontextmanager
    async def attach(self, client: Client) -> AsyncIterator[Agent]:
        """See `Attachable.attach`."""
        if self._refusal is not None:
            raise self._refusal
        async with self._desk.attach(client) as agent:
            self._count(1)
            try:
                yield agent
            finally:
                self._count(-1)

    async def until(self, count: int) -> None:
        """Wait until so many clients are attached."""
        while self.attached != count:
            await self._changed.wait()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk, name)

    def _count(self, step: int) -> None:
        self.attached += step
        self._changed.set()
        self._changed = anyio.Event()


@dataclass(slots=True)
class Serving:
    """A face that serves: `place` is what it was started with, `stream` the other end of its stdin and stdout.

    `heard` is all that was received there; `ended` is set when it serves no more, and `stop` cancels it.
    """

    place: str | None
    stream: PipeStream
    desk: WatchedDesk
    stop: Callable[[], None]
    ended: anyio.Event
    heard: bytearray = field(default_factory=bytearray)

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """What the face wrote to its stdout."""
        chunk = await self.stream.receive(max_bytes)
        self.heard += chunk
        return chunk

    async def send(self, item: bytes) -> None:
        """Write to the face's stdin."""
        await self.stream.send(item)

    async def hang_up(self) -> None:
        """Close the face's stdin, and read its stdout no more."""
        await self.stream.aclose()


Served = Callable[..., AbstractAsyncContextManager[Serving]]
"""`served(refusal=None)`: the face under test, serving; with a refusal, a desk that cannot be opened."""


@asynccontextmanager
async def serving(face: Face, desk: WatchedDesk) -> AsyncIterator[Serving]:
    """Have a face serve a desk; behind the block it has ended."""
    ended, scope = anyio.Event(), anyio.CancelScope()

    async def serve(*, task_status: anyio.abc.TaskStatus[Any]) -> None:
        with scope:
            await face.serve(cast("Desk", desk), task_status=task_status)
        ended.set()

    with anyio.fail_after(BOUND_S), unwrapped(), _own_stdio() as ends:
        stream = PipeStream(*ends)
        try:
            async with anyio.create_task_group() as tasks:
                place = await tasks.start(serve)
                yield Serving(place, stream, desk, scope.cancel, ended)
                scope.cancel()
        finally:
            await stream.aclose()


@contextmanager
def _own_stdio() -> Iterator[tuple[int, int]]:
    """Make stdin and stdout of this process two pipes; yields our ends, to read its stdout and write its stdin."""
    (stdin, writing), (reading, stdout) = os.pipe(), os.pipe()
    for fd in (reading, writing):
        os.set_blocking(fd, False)
    kept, printing = [os.dup(0), os.dup(1)], sys.stdout
    for fd, number in ((stdin, 0), (stdout, 1)):
        os.dup2(fd, number)
        os.close(fd)
    with os.fdopen(os.dup(1), "w", buffering=1) as stdout_now:
        sys.stdout = stdout_now
        try:
            yield reading, writing
        finally:
            sys.stdout = printing
            for number, fd in enumerate(kept):
                os.dup2(fd, number)
                os.close(fd)
