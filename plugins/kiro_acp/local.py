"""A client's requests become verbs of the desk, and the desk's words reach the client."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import anyio

from kiro_acp.handshake import client_info, to_client
from kiro_core.errors import KiroError, SessionClosing
from kiro_core.frames import Frame
from kiro_core.ports import Agent
from kiro_core.rpc import Peer, Stream
from kiro_core.types import PeerInfo

_LOG = logging.getLogger(__name__)
_TAKE_BACK_S = 1.0


async def _any_other(agent: Agent, frame: Frame) -> Frame:
    return await agent.call(frame)


_VERBS: Mapping[str, Callable[[Agent, Frame], Awaitable[Frame]]] = {
    "authenticate": lambda agent, frame: agent.authenticate(frame),
    "logout": lambda agent, frame: agent.logout(frame),
    "session/new": lambda agent, frame: agent.new(frame),
    "session/load": lambda agent, frame: agent.open(frame, replay=True),
    "session/resume": lambda agent, frame: agent.open(frame, replay=False),
    "session/list": lambda agent, frame: agent.list(frame),
    "session/close": lambda agent, frame: agent.close(frame),
    "session/delete": lambda agent, frame: agent.delete(frame),
}
"""The requests of the protocol and the verbs of the desk; `session/prompt` is a turn, any other goes to `call`."""


class RemoteClient:
    """Implements `Client` for whoever is at the other end."""

    def __init__(self, peer: Peer) -> None:
        """Speak through a peer; `info` is filled in by `initialize`."""
        self.info = PeerInfo()
        self._peer = peer

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`."""
        await self._peer.send(frames)

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`."""
        return await self._peer.call(frame)


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
        return await self._verb(self._agent or await self._desk(), frame)

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Take notifications; a client's unreadable line is answered by the peer and has no further meaning."""
        agent = self._agent
        for frame in frames:
            if agent is not None and frame.fault is None:
                await _told(agent, frame)

    async def _verb(self, agent: Agent, frame: Frame) -> Frame:
        if frame.method == "session/prompt":
            return await self._prompt(agent, frame)
        return await _VERBS.get(frame.method or "", _any_other)(agent, frame)

    async def _desk(self) -> Agent:
        self.greeted.set()
        await self._opened.wait()
        if self._agent is None:
            raise self._failure or SessionClosing("The desk is closed.")
        return self._agent

    async def _prompt(self, agent: Agent, frame: Frame) -> Frame:
        turn = await agent.prompt(frame)
        try:
            return await turn.settled()
        except anyio.get_cancelled_exc_class():
            # `$/cancel_request` takes the prompt back; a client that only hung up leaves its turn running.
            if not self.peer.ended.is_set():
                with anyio.move_on_after(_TAKE_BACK_S, shield=True):
                    await turn.cancel()
            raise


async def _told(agent: Agent, frame: Frame) -> None:
    try:
        await (agent.cancel(frame) if frame.method == "session/cancel" else agent.notify(frame))
    except KiroError as error:
        # Nobody waits for an answer to a notification; the session may just have ended.
        _LOG.debug("%s was dropped: %s", frame.method, error)
