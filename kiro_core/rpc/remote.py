"""Whoever is at the other end of a connection is an agent or a client like any other here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Protocol

from kiro_core.frames import Frame
from kiro_core.prompt import prompt_verb
from kiro_core.rpc.peer import Peer
from kiro_core.rpc.pending import Pending
from kiro_core.types import PeerInfo

if TYPE_CHECKING:
    from kiro_core.ports import Turn


class Caller(Protocol):
    """What a remote agent speaks through: a `Peer`, or whatever stands in front of one."""

    async def call(self, frame: Frame) -> Frame:
        """See `Peer.call`."""
        ...

    async def start(self, frame: Frame) -> Pending:
        """See `Peer.start`."""
        ...

    async def send(self, frames: Sequence[Frame]) -> None:
        """See `Peer.send`."""
        ...


class RemoteClient:
    """Implements `Client` for whoever is at the other end."""

    def __init__(self, peer: Peer) -> None:
        """Speak through a peer; `info` is filled in when the client has introduced itself."""
        self.info: PeerInfo = PeerInfo()
        self._peer = peer

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`."""
        await self._peer.send(frames)

    def offer(self, frames: Sequence[Frame]) -> bool:
        """Notify if that takes no waiting; whether it did."""
        return self._peer.offer(frames)

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`."""
        return await self._peer.call(frame)


class RemoteTurn:
    """A prompt that was sent; an agent has one turn of a session at a time."""

    def __init__(self, peer: Caller, session: str, pending: Pending) -> None:
        """Wait for the answer to the prompt."""
        self._peer = peer
        self._session = session
        self._pending = pending

    async def settled(self) -> Frame:
        """See `Turn.settled`."""
        return await self._pending.settled()

    async def cancel(self) -> None:
        """See `Turn.cancel`."""
        await self._peer.send([Frame.of("session/cancel", {"sessionId": self._session})])


class RemoteAgent:
    """Verbs become requests; the JSON-RPC ids are ours, everything else leaves as it came."""

    def __init__(self, peer: Caller, info: PeerInfo) -> None:
        """Speak to an agent that introduced itself."""
        self.info = info
        self._peer = peer
        self._offer: Callable[[Sequence[Frame]], bool] | None = prompt_verb(peer, "offer", "send")

    async def new(self, frame: Frame) -> Frame:
        """See `Agent.new`."""
        return await self._peer.call(frame)

    async def open(self, frame: Frame, *, replay: bool) -> Frame:
        """See `Agent.open`."""
        method = "session/load" if replay else "session/resume"
        return await self._peer.call(frame if frame.method == method else Frame.of(method, frame.params, id=0))

    async def prompt(self, frame: Frame) -> Turn:
        """See `Agent.prompt`."""
        return RemoteTurn(self._peer, frame.session or "", await self._peer.start(frame))

    async def cancel(self, frame: Frame) -> None:
        """See `Agent.cancel`."""
        await self._peer.send([frame])

    async def close(self, frame: Frame) -> Frame:
        """See `Agent.close`."""
        return await self._peer.call(frame)

    async def delete(self, frame: Frame) -> Frame:
        """See `Agent.delete`."""
        return await self._peer.call(frame)

    async def authenticate(self, frame: Frame) -> Frame:
        """See `Agent.authenticate`."""
        return await self._peer.call(frame)

    async def logout(self, frame: Frame) -> Frame:
        """See `Agent.logout`."""
        return await self._peer.call(frame)

    async def list(self, frame: Frame) -> Frame:
        """See `Agent.list`."""
        return await self._peer.call(frame)

    async def call(self, frame: Frame) -> Frame:
        """See `Agent.call`."""
        return await self._peer.call(frame)

    async def notify(self, frame: Frame) -> None:
        """See `Agent.notify`."""
        await self._peer.send([frame])

    def offer(self, frame: Frame) -> bool:
        """Notify, or cancel, if that takes no waiting; whether it did."""
        return self._offer is not None and self._offer([frame])
