"""The two ends of a connection speak through a peer each: the product's hot path.

Notifications are handled inline in the reader, a batch at a time; a request runs in a task of its
own; a response wakes who waits for it. So updates always precede the response that follows them,
and a slow receiver slows its sender instead of filling memory.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Sequence
from typing import Protocol

import anyio
from anyio.abc import TaskGroup, TaskStatus

from kiro_core.errors import Disconnected, KiroError
from kiro_core.frames import Frame, Splitter, join, parse
from kiro_core.rpc.pending import Pending
from kiro_core.rpc.wording import CANCELLED, failure

_LOG = logging.getLogger(__name__)
_GONE = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)
_TAKE_BACK_S = 1.0


class Stream(Protocol):
    """The bytes below a peer; a cancelled send must not tear a line (see `PipeStream`)."""

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

    def __init__(self, stream: Stream, handler: Handler) -> None:
        """Speak over `stream`, which stays the caller's to close; `run` does the reading."""
        self.ended = anyio.Event()
        self._stream = stream
        self._handler = handler
        self._ids = itertools.count(1)
        self._waiting: dict[bytes, Pending] = {}
        self._serving: dict[bytes, anyio.CancelScope] = {}
        self._idle = anyio.Event()

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

    async def start(self, frame: Frame) -> Pending:
        """Send a request under an id of ours; its response is waited for separately.

        Raises:
            Disconnected: the connection has ended.

        """
        pending = Pending(b"%d" % next(self._ids))
        await self._ask(frame, pending)
        return pending

    async def call(self, frame: Frame) -> Frame:
        """Send a request and wait for its response, which may be an error.

        When the caller is cancelled (by a deadline, say) the peer is told by `$/cancel_request`.

        Raises:
            Disconnected: the connection has ended.

        """
        pending = Pending(b"%d" % next(self._ids))
        try:
            await self._ask(frame, pending)
            return await pending.settled()
        except anyio.get_cancelled_exc_class():
            with anyio.move_on_after(_TAKE_BACK_S, shield=True):
                await self._take_back(pending)
            raise

    async def served(self) -> None:
        """Wait until every request of the other side is answered."""
        while self._serving:
            self._idle = anyio.Event()
            await self._idle.wait()

    async def _ask(self, frame: Frame, pending: Pending) -> None:
        if self.ended.is_set():
            raise Disconnected("The connection has ended.")
        self._waiting[pending.id] = pending
        await self.send([frame.with_id(pending.id)])

    async def _take_back(self, pending: Pending) -> None:
        if self._waiting.pop(pending.id, None) is None:
            return
        try:
            await self.send([Frame.of("$/cancel_request", {"requestId": int(pending.id)})])
        except Disconnected:
            _LOG.debug("a cancelled request could not be taken back: the connection is closed")

    def _hang_up(self) -> None:
        self.ended.set()
        for pending in self._waiting.values():
            pending.resolve(None)
        self._waiting.clear()

    async def _read(self, tasks: TaskGroup) -> None:
        splitter = Splitter()
        while True:
            try:
                chunk = await self._stream.receive()
            except _GONE:
                await self._handle(parse(splitter.rest()), tasks)
                return
            block = splitter.feed(chunk)
            if block:
                await self._handle(parse(block), tasks)

    async def _handle(self, frames: list[Frame], tasks: TaskGroup) -> None:
        batch: list[Frame] = []
        for frame in frames:
            if frame.fault is None and not frame.is_notification:
                await self._notified(batch)
                batch = []
                await self._one(frame, tasks)
            elif frame.method == "$/cancel_request":
                self._cancel(frame)
            else:
                batch.append(frame)
        await self._notified(batch)

    async def _one(self, frame: Frame, tasks: TaskGroup) -> None:
        if frame.is_request:
            # `start` returns once the handler has run up to its first wait: a `session/cancel`
            # in the next line then finds the prompt that it is meant for.
            await tasks.start(self._serve, frame)
            return
        pending = self._waiting.pop(frame.id or b"", None)
        if pending is None:
            _LOG.debug("a response to nothing that was asked was dropped")
        else:
            pending.resolve(frame)

    async def _notified(self, frames: list[Frame]) -> None:
        if not frames:
            return
        try:
            await self._handler.notify(frames)
        except Exception:  # noqa: BLE001 - the wire is a boundary: one bad message must not end the connection
            _LOG.exception("a notification could not be handled: %s", frames[0].method)
        for frame in frames:
            if frame.fault is not None:
                await self._reply(Frame.failure(*frame.fault, id=_answerable(frame.id)))

    def _cancel(self, frame: Frame) -> None:
        scope = self._serving.get(frame.text_at("params", "requestId") or b"")
        if scope is not None:
            scope.cancel()

    async def _serve(self, frame: Frame, *, task_status: TaskStatus[None]) -> None:
        id_ = frame.id or b"null"
        response = Frame.failure(CANCELLED, "The request was cancelled.")
        try:
            with anyio.CancelScope() as scope:
                self._serving[id_] = scope
                task_status.started()
                response = await self._answer(frame)
            # No wait between the handler's return and this write: what a handler schedules for
            # "after the answer" then comes after the answer.
            await self._reply(response.with_id(id_))
        finally:
            self._serving.pop(id_, None)
            self._idle.set()

    async def _answer(self, frame: Frame) -> Frame:
        try:
            return await self._handler.request(frame)
        except Exception as error:  # noqa: BLE001 - the wire is a boundary: a request never goes unanswered
            if not isinstance(error, KiroError):
                _LOG.exception("a request failed: %s", frame.method)
            return failure(error)

    async def _reply(self, response: Frame) -> None:
        try:
            await self.send([response])
        except Disconnected:
            _LOG.debug("a response could not be sent: the connection is closed")


def _answerable(id_: bytes | None) -> bytes:
    """The id under which a bad message is answered: null when its own is not one (JSON-RPC 2.0 section 5)."""
    return id_ if id_ and id_[:1] not in b"{[tf" else b"null"
