"""Another desk of this user, here: behind its socket it is an agent like our own, and answers for itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Final

import anyio
import msgspec
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectSendStream

from kiro_core.control import methods
from kiro_core.control.meeting import HELLO_S, STUCK, connected, introduced
from kiro_core.control.turns import DeskAgent
from kiro_core.errors import Disconnected, RpcError, unwrapped
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Client
from kiro_core.rpc import INTERNAL_ERROR, METHOD_NOT_FOUND, Peer, Pending, raised, result
from kiro_core.types import PeerInfo, Record, SessionId, SessionInfo

_ANSWER_S = 30.0
_AGENT_S = 2000.0
"""Longer than an agent takes to start, and than a person to log in."""
_BATCHES = 4


class Nobody:
    """Implements `Client` for whoever only asks the desk itself."""

    info: Final = PeerInfo("kiro_core")

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See nothing."""

    async def request(self, frame: Frame) -> Frame:
        """Answer nothing."""
        raise RpcError(METHOD_NOT_FOUND, f"Nobody is here who could answer {frame.method}.")


NOBODY = Nobody()


@asynccontextmanager
async def reach(
    path: Path,
    client: Client = NOBODY,
    *,
    limit_s: float = _ANSWER_S,
    agent_s: float = _AGENT_S,
    hello_s: float = HELLO_S,
) -> AsyncIterator[Reached]:
    """Be a client of the desk that listens at `path`.

    What is asked of the desk itself is answered within `limit_s` seconds, and any verb of its agent but a prompt
    within `agent_s`, or that is told as `Disconnected`. It introduces itself within `hello_s`.

    Raises on entering:
        Disconnected: nobody listens there, it is another user, or it does not introduce itself as a desk.

    """
    stream = connected(path)
    inbox = _Inbox(client)
    peer = Peer(stream, inbox)
    try:
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(peer.run)
                hello = await introduced(peer, client.info, path, hello_s)
                yield Reached(_Raising(peer, agent_s), inbox, tasks, hello, limit_s)
                tasks.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await stream.aclose()


class Reached:
    """A desk in another process; whatever it refuses is raised as it was there."""

    def __init__(
        self, caller: _Raising, inbox: _Inbox, tasks: TaskGroup, hello: Mapping[str, Any], limit_s: float
    ) -> None:
        """Speak to a desk that has introduced itself; `ended` is set when its connection has ended."""
        self.agent: Agent = DeskAgent(caller, PeerInfo("kiro_core", str(hello.get("version", ""))))
        self.hello = hello
        self.ended: Final = caller.ended
        self._caller = caller
        self._inbox = inbox
        self._tasks = tasks
        self._limit_s = limit_s

    async def opened(self, frame: Frame, arrived: Callable[[Frame], None]) -> Frame:
        """The answer to a request that opens a session; see `Peer.call` for `arrived`.

        Raises:
            Disconnected, KiroError: as the desk says.

        """
        return await self._caller.call(frame, arrived)

    async def status(self) -> Mapping[str, Any]:
        """See `Front.status`."""
        return await self._asked(methods.STATUS)

    async def release(self, session: SessionId, *, force: bool = False) -> None:
        """See `Front.let_go`."""
        await self._asked(methods.RELEASE, sessionId=session, force=force)

    async def relabel(
        self, session: SessionId, *, title: str | None, name: str | None, tags: Iterable[str] | None
    ) -> SessionInfo:
        """See `Desk.relabel`."""
        named = {"title": title, "name": name, "tags": None if tags is None else sorted(tags)}
        told = await self._asked(methods.RELABEL, sessionId=session, **named)
        try:
            return msgspec.convert(told, SessionInfo)
        except msgspec.ValidationError as error:
            raise RpcError(
                INTERNAL_ERROR, f"The desk that holds the session {session} answered nonsense: {error}."
            ) from error

    async def delete(self, session: SessionId) -> None:
        """See `Desk.delete`."""
        await self._asked(methods.DELETE, sessionId=session)

    async def wake(self, session: SessionId) -> None:
        """See `Front.wake`."""
        await self._asked(methods.WAKE, sessionId=session)

    async def stop(self) -> Mapping[str, Any]:
        """See `ControlVerbs.stop`."""
        return await self._asked(methods.STOP)

    async def reload(self) -> Mapping[str, Any]:
        """See `ControlVerbs.reload`."""
        return await self._asked(methods.RELOAD)

    async def follow(self, session: SessionId, after: int = 0) -> AsyncGenerator[Sequence[Record], None]:
        """See `Front.follow`; one at a time over one connection.

        Raises:
            Disconnected: the desk is gone.

        """
        frame = Frame.of(methods.WATCH, {"sessionId": session, "after": after}, id=0)
        post, batches = anyio.create_memory_object_stream[Sequence[Record]](_BATCHES)
        self._inbox.records = post
        pending = await self._caller.start(frame)
        self._tasks.start_soon(_close_behind, pending, post)
        async with batches:
            async for records in batches:
                yield records
        result(raised(await pending.settled()), "The session cannot be watched")

    async def _asked(self, method: str, **params: Any) -> dict[str, Any]:
        frame = Frame.of(method, params, id=0)
        return result(await self._caller.call(frame, limit_s=self._limit_s), "The desk refused")


class _Raising:
    """Implements `Caller`: what the other desk refused is raised again, as if it were our own."""

    def __init__(self, peer: Peer, limit_s: float) -> None:
        self.ended: Final = peer.ended
        self.start: Final = peer.start
        self.send: Final = peer.send
        self.take_back: Final = peer.take_back
        self._peer = peer
        self._limit_s = limit_s

    async def call(
        self, frame: Frame, arrived: Callable[[Frame], None] | None = None, *, limit_s: float | None = None
    ) -> Frame:
        """See `Caller.call`."""
        limit_s = limit_s or self._limit_s
        with anyio.move_on_after(limit_s):
            return raised(await self._peer.call(frame, arrived))
        raise Disconnected(f"The other desk did not answer {frame.method} within {limit_s:g} s.", hint=STUCK)


class _Inbox:
    """Implements a peer's `Handler`: what the other desk says to our client, and the records that we watch."""

    def __init__(self, client: Client) -> None:
        self.records: MemoryObjectSendStream[Sequence[Record]] | None = None
        self.request: Final = client.request
        self._client = client

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Handler.notify`."""
        told = [frame for frame in frames if frame.fault is None and frame.method != methods.RECORDS]
        if told:
            await self._client.notify(told)
        for frame in frames:
            if frame.method == methods.RECORDS and self.records is not None:
                # Who has stopped watching waits for nothing more.
                with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                    await self.records.send(methods.records_of(frame))


async def _close_behind(pending: Pending, post: MemoryObjectSendStream[Sequence[Record]]) -> None:
    """End the records when their request is answered; whoever reads them then learns how."""
    with post, suppress(Disconnected):
        await pending.settled()
