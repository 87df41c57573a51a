"""One end of a connection: messages pass both ways, and each answer finds who waits for it."""

from collections.abc import Awaitable, Callable, Sequence
from itertools import count
from typing import Protocol

import anyio
import anyio.lowlevel
from anyio.abc import TaskGroup
from kiro_core import Frame
from kiro_core.errors import Disconnected, KiroError, unwrapped
from kiro_core.rpc import Pending, failure

_GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)
_LENGTH_BYTES = 4
_LONGEST = 2**26


class Stream(Protocol):
    """What a process and a socket have in common."""

    async def receive(self) -> bytes:
        """Some bytes; EndOfStream behind the last ones."""
        ...

    async def send(self, item: bytes, /) -> None:
        """Write all of it."""
        ...


class Talk:
    """A connection: `request` answers what the other end asks, `notify` takes what it tells."""

    def __init__(
        self,
        stream: Stream,
        request: Callable[[Frame], Awaitable[Frame]],
        notify: Callable[[Frame], Awaitable[None]],
    ) -> None:
        """Say nothing yet."""
        self._stream = stream
        self._request = request
        self._notify = notify
        self._ids = count(1)
        self._waiting: dict[bytes, Pending] = {}
        self._rest = b""
        self.ended = anyio.Event()

    async def run(self) -> None:
        """Take what comes, in order, until the other end hangs up; then whoever waits is told."""
        try:
            with unwrapped():
                async with anyio.create_task_group() as tasks:
                    while (frame := await self._next()) is not None:
                        await self._take(frame, tasks)
                    self._hang_up()
                    tasks.cancel_scope.cancel()
        finally:
            self._hang_up()

    async def send(self, frames: Sequence[Frame]) -> None:
        """Send messages, together; returning late is what slows their sender."""
        raw = b"".join(len(frame.raw).to_bytes(_LENGTH_BYTES) + frame.raw for frame in frames)
        try:
            await self._stream.send(raw)
        except _GONE as error:
            raise Disconnected("The connection has ended.") from error

    async def start(self, frame: Frame) -> Pending:
        """Send a request: who waits for its answer."""
        if self.ended.is_set():
            raise Disconnected("The connection has ended.")
        number = b"%d" % next(self._ids)
        pending = self._waiting[number] = Pending(number)
        await self.send([frame.with_id(number)])
        return pending

    async def call(self, frame: Frame) -> Frame:
        """Send a request, and wait for its answer."""
        return await (await self.start(frame)).settled()

    async def _take(self, frame: Frame, tasks: TaskGroup) -> None:
        if frame.is_request:
            tasks.start_soon(self._reply, frame)
            # Whatever decides the place of a request happens before what follows it is read.
            await anyio.lowlevel.checkpoint()
        elif frame.is_notification:
            await self._notify(frame)  # in order, and as slowly as it is taken
        elif frame.id is not None and (pending := self._waiting.pop(frame.id, None)):
            pending.resolve(frame)

    async def _reply(self, frame: Frame) -> None:
        try:
            response = await self._request(frame)
        except KiroError as error:
            response = failure(error)
        await self.send([response.with_id(frame.id or b"null")])

    async def _next(self) -> Frame | None:
        """The next message, None at the end; what is no JSON object is one that nobody takes."""
        try:
            length = int.from_bytes(await self._exactly(_LENGTH_BYTES))
            # Whoever announces more speaks another protocol, and nothing that follows could be read.
            return Frame.read(await self._exactly(length)) if length <= _LONGEST else None
        except _GONE:
            return None

    async def _exactly(self, length: int) -> bytes:
        while len(self._rest) < length:
            self._rest += await self._stream.receive()
        item, self._rest = self._rest[:length], self._rest[length:]
        return item

    def _hang_up(self) -> None:
        self.ended.set()
        while self._waiting:
            self._waiting.popitem()[1].resolve(None)
