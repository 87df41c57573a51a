"""Their agent, here: a process that speaks ACP is an `Agent` like any other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio

from kiro_acp.handshake import agent_info, to_agent
from kiro_core.errors import AgentTimeout, unwrapped
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Client, Process, Turn
from kiro_core.rpc import Peer, Pending, result
from kiro_core.types import PeerInfo

_LAST_LINES_S = 2.0


class RemoteTurn:
    """A prompt that was sent; an agent has one turn of a session at a time."""

    def __init__(self, peer: Peer, session: str, pending: Pending) -> None:
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

    def __init__(self, peer: Peer, info: PeerInfo) -> None:
        """Speak to an agent that introduced itself."""
        self.info = info
        self._peer = peer

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


class AcpWire:
    """Implements `Wire`."""

    @asynccontextmanager
    async def connect(self, process: Process, client: Client, timeout_s: float) -> AsyncIterator[Agent]:
        """See `Wire.connect`; the process's end of stream ends the block."""
        peer = Peer(process, client, answers_noise=False)
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(peer.run)
                # An agent that hangs up before this line is a refusal that `_introduced` raises.
                info = await _introduced(peer, client.info.raw, timeout_s)
                tasks.start_soon(_end_with_the_agent, peer, process, tasks.cancel_scope)
                yield RemoteAgent(peer, info)
                tasks.cancel_scope.cancel()


async def _end_with_the_agent(peer: Peer, process: Process, block: anyio.CancelScope) -> None:
    async with anyio.create_task_group() as either:
        either.start_soon(_end_after_the_process, peer, process, either.cancel_scope)
        await peer.ended.wait()
        either.cancel_scope.cancel()
    block.cancel()


async def _end_after_the_process(peer: Peer, process: Process, waiting: anyio.CancelScope) -> None:
    # What it wrote last is still read; a helper that holds its stdout open does not keep it alive.
    await process.wait()
    with anyio.move_on_after(_LAST_LINES_S):
        await peer.ended.wait()
    waiting.cancel()


async def _introduced(peer: Peer, capabilities: Mapping[str, Any], timeout_s: float) -> PeerInfo:
    with anyio.move_on_after(timeout_s):
        response = await peer.call(Frame.of("initialize", to_agent(capabilities), id=0))
        return agent_info(result(response, "The agent refused initialize"))
    raise AgentTimeout(
        f"The agent did not answer initialize within {timeout_s:g} s.",
        hint="See whether its command speaks ACP, or raise limits.start_s.",
    )
