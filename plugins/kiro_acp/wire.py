"""Their agent, here: a process that speaks ACP is an `Agent` like any other."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio

from kiro_acp.handshake import agent_info, to_agent
from kiro_core.errors import AgentTimeout, unwrapped
from kiro_core.frames import Frame
from kiro_core.rpc import Peer, RemoteAgent, result

if TYPE_CHECKING:
    from kiro_core.ports import Agent, Client, Process
    from kiro_core.types import PeerInfo

_LAST_LINES_S = 2.0


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
