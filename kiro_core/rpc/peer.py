"""The two ends of a connection speak through a peer each: the product's hot path.

Notifications are handled inline in the reader, a batch at a time; a request runs in a task of its
own; a response wakes who waits for it. So updates always precede the response that follows them,
and a slow receiver slows its sender instead of filling memory.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Sequence
from typing import Final, Protocol

import anyio
from anyio.abc import TaskGroup

from kiro_core.errors import Disconnected
from kiro_core.frames import Frame, Run, Splitter, join, read
from kiro_core.prompt import prompt_verb
from kiro_core.rpc.pending import Pending
from kiro_core.rpc.serving import Serving

_LOG = logging.getLogger(__name__)
_GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)
_TAKE_BACK_S = 1.0
_REFUSAL_S = 5.0
_USUAL_CHUNK, _WIDE_CHUNK = 64 * 1024, 256 * 1024
"""Bytes; behind a chunk that is rather full comes a wide one, since in a flood the steps of a chunk are what costs."""
_LONGEST_LINE = 256 * 1024 * 1024


class Stream(Protocol):
    """The bytes below a peer; a cancelled send must not tear a line (see `PipeStream`).

    One that can tell whether a send would have to wait may have an `offer` besides, as `PipeStream` has.
    """

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Wait for bytes; `anyio.EndOfStream` at the end."""
        ...

    async def send(self, item: bytes) -> None:
        """Write all of it; `anyio.BrokenResourceError` when nobody reads."""
        ...


class Handler(Protocol):
    """What this side of the connection does with what arrives."""

    async def request(self, frame: Frame) -> Frame:
        """Answer a request with a response frame; its JSON-RPC id is replaced by the request's."""
        ...

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Take notifications in order; unreadable lines are among them, with their `fault` set."""
        ...


class Peer:
    """One side of a JSON-RPC connection; `ended` is set when the other side hung up."""

    def __init__(self, stream: Stream, handler: Handler, *, answers_noise: bool = True) -> None:
        """Speak over `stream`, which stays the caller's to close; `run` does the reading.

        Without `answers_noise` a bad line that has no id is only handed on: a program that prints to
        its stdout and does not read would block, and so would we.
        """
        self.ended: Final = anyio.Event()
        self._stream = stream
        self._offer: Callable[[bytes], bool] | None = prompt_verb(stream, "offer", "send")
        self._handler = handler
        self._answers_noise = answers_noise
        self._ids = itertools.count(1)
        self._waiting: dict[bytes, Pending] = {}
        self._serving = Serving(handler.request, self._reply)

    async def run(self) -> None:
        """Read until the stream ends, then wait for the requests that are still being served.

        At the end of the stream every waiter fails; whoever runs this decides by cancelling how
        long the open requests of a peer that hung up may take.
        """
        try:
            async with anyio.create_task_group() as tasks:
                await self._read(tasks)
                self._hang_up()
        finally:
            self._hang_up()

    async def send(self, frames: Sequence[Frame]) -> None:
        """Write messages in order, in one write.

        Raises:
            Disconnected: nobody reads any more.

        """
        try:
            await self._stream.send(join(frames))
        except _GONE as error:
            raise Disconnected("The connection is closed.") from error

    def offer(self, frames: Sequence[Frame]) -> bool:
        """Write messages if that takes no waiting, else none of them; whether it did, for a stream that can tell."""
        return self._offer is not None and self._offer(join(frames))

    async def start(self, frame: Frame) -> Pending:
        """Send a request under an id of ours; its response is waited for separately.

        Raises:
            Disconnected: the connection has ended.

        """
        pending = Pending(b"%d" % next(self._ids))
        await self._ask(frame, pending)
        return pending

    async def call(self, frame: Frame, arrived: Callable[[Frame], None] | None = None) -> Frame:
        """Send a request and wait for its response, which may be an error.

        When the caller is cancelled (by a deadline, say) the peer is told by `$/cancel_request`. `arrived` is
        called with the response before anything that follows it is handled, and before the caller goes on.

        Raises:
            Disconnected: the connection has ended.

        """
        pending = Pending(b"%d" % next(self._ids), arrived)
        try:
            await self._ask(frame, pending)
            return await pending.settled()
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_TAKE_BACK_S, shield=True):
                await self._give_up(pending)
            raise

    async def take_back(self, pending: Pending) -> None:
        """Ask the other side to give a request up; it is still answered, with its outcome or with -32800.

        Raises:
            Disconnected: nobody reads any more.

        """
        if pending.id in self._waiting:
            await self.send([Frame.of("$/cancel_request", {"requestId": int(pending.id)})])

    async def served(self) -> None:
        """Wait until every request of the other side is answered."""
        await self._serving.finished()

    async def _ask(self, frame: Frame, pending: Pending) -> None:
        if self.ended.is_set():
            raise Disconnected("The connection has ended.")
        self._waiting[pending.id] = pending
        await self.send([frame.with_id(pending.id)])

    async def _give_up(self, pending: Pending) -> None:
        try:
            await self.take_back(pending)
        except Disconnected:
            _LOG.debug("a cancelled request could not be taken back: the connection is closed")
        finally:
            self._waiting.pop(pending.id, None)

    def _hang_up(self) -> None:
        self.ended.set()
        for pending in self._waiting.values():
            pending.resolve(None)
        self._waiting.clear()

    async def _read(self, tasks: TaskGroup) -> None:
        splitter, most = Splitter(), _USUAL_CHUNK
        while True:
            try:
                chunk = await self._stream.receive(most)
            except _GONE:
                await self._handle(read(splitter.rest()), tasks)
                return
            most = _USUAL_CHUNK if len(chunk) < _USUAL_CHUNK // 2 else _WIDE_CHUNK
            # No name for the block: a long line would be there twice while it is handled.
            await self._handle(read(splitter.feed(chunk)), tasks)
            if splitter.length > _LONGEST_LINE:
                _LOG.error("a connection was given up: it sent a line of more than %d bytes", _LONGEST_LINE)
                return

    async def _handle(self, frames: Sequence[Frame], tasks: TaskGroup) -> None:
        if isinstance(frames, Run):
            await self._notified(frames)
            return
        batch: list[Frame] = []
        for frame in frames:
            if frame.fault is not None or (frame.is_notification and frame.method != "$/cancel_request"):
                batch.append(frame)
                continue
            await self._notified(batch)
            batch = []
            if frame.is_request:
                await self._serving.begin(frame, tasks)
            elif frame.is_notification:
                self._serving.cancel(frame.text_at("params", "requestId"))
            elif not self._settle(frame.id, frame):
                _LOG.debug("a response to nothing that was asked was dropped")
        await self._notified(batch)

    def _settle(self, id_: bytes | None, response: Frame) -> bool:
        pending = self._waiting.pop(id_ or b"", None)
        if pending is not None:
            pending.resolve(response)
        return pending is not None

    async def _notified(self, frames: Sequence[Frame]) -> None:
        if not frames:
            return
        try:
            await self._handler.notify(frames)
        except Exception:  # noqa: BLE001 - the wire is a boundary: one bad message must not end the connection
            _LOG.exception("a notification could not be handled: %s", frames[0].method)
        if isinstance(frames, Run):
            return
        if refusals := [refusal for frame in frames if (refusal := self._refusal(frame))]:
            with anyio.move_on_after(_REFUSAL_S):
                await self._reply(refusals)

    def _refusal(self, frame: Frame) -> Frame | None:
        """What a bad line is answered; a response that says nothing is a failure for who waits for it."""
        if frame.fault is None:
            return None
        if frame.id is None and not self._answers_noise:
            return None
        refusal = Frame.failure(*frame.fault, id=frame.id or b"null")
        return None if frame.failed and self._settle(frame.id, refusal) else refusal

    async def _reply(self, responses: list[Frame]) -> None:
        try:
            await self.send(responses)
        except Disconnected:
            _LOG.debug("a response could not be sent: the connection is closed")
