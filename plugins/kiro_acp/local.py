"""A client is answered from the first line on, also while its desk still opens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import anyio

from kiro_acp.handshake import client_info, to_client
from kiro_core.errors import KiroError, SessionClosing
from kiro_core.frames import Frame
from kiro_core.rpc import Peer, RemoteClient, Stream, answer, told

if TYPE_CHECKING:
    from kiro_core.ports import Agent
    from kiro_core.types import PeerInfo


class LocalAgent:
    """Implements a peer's `Handler`: what a client asks of us.

    `initialize` is answered from constants. Whatever comes next waits for the desk, which opens
    meanwhile; when the desk cannot open, its reason answers every request.
    """

    def __init__(self, stream: Stream, logins: Callable[[PeerInfo], Sequence[Mapping[str, Any]]]) -> None:
        """Speak over `stream`; `peer` does the reading, `logins` tells the `authMethods` for a client."""
        self.peer = Peer(stream, self)
        self.client = RemoteClient(self.peer)
        self.greeted = anyio.Event()
        self._logins = logins
        self._opened = anyio.Event()
        self._agent: Agent | None = None
        self._failure: KiroError | None = None

    def open(self, agent: Agent) -> None:
        """Answer from now on with that agent."""
        self._agent = agent
        self._opened.set()

    def fail(self, error: KiroError) -> None:
        """Answer from now on with that failure."""
        self._failure = error
        self._opened.set()

    async def request(self, frame: Frame) -> Frame:
        """Answer one request."""
        if frame.method == "initialize":
            self.client.info = client_info(frame.params)
            response = Frame.answer(to_client(self._logins(self.client.info)))
            self.greeted.set()
            return response
        return await answer(self._agent or await self._desk(), frame, self.peer.ended)

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Take notifications; a client's unreadable line is answered by the peer and has no further meaning."""
        agent = self._agent
        for frame in frames:
            if agent is not None and frame.fault is None:
                await told(agent, frame)

    async def _desk(self) -> Agent:
        self.greeted.set()
        await self._opened.wait()
        if self._agent is None:
            raise self._failure or SessionClosing("The desk is closed.")
        return self._agent
