"""Agents, turns and clients whose every verb is called through something that watches over the call."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

from kiro_core.frames import Frame
from kiro_core.middleware.visiting import Verb
from kiro_core.ports import Agent, Client, Turn
from kiro_core.types import PeerInfo


class Through(Protocol):
    """Calls a verb; `seam` is what it is called in messages."""

    async def __call__(self, seam: str, verb: Verb) -> Any:
        """Call it, and give its answer."""
        ...


class ThroughTurn:
    """Implements `Turn`."""

    def __init__(self, turn: Turn, through: Through) -> None:
        """Call `turn` so."""
        self._turn = turn
        self._through = through

    async def settled(self) -> Frame:
        """See `Turn.settled`."""
        response: Frame = await self._through("turn.settled", self._turn.settled)
        return response

    async def cancel(self) -> None:
        """See `Turn.cancel`."""
        await self._through("turn.cancel", self._turn.cancel)


class ThroughAgent:
    """Implements `Agent`."""

    def __init__(self, agent: Agent, through: Through) -> None:
        """Call `agent` so."""
        self._agent = agent
        self._through = through

    @property
    def info(self) -> PeerInfo:
        """See `Agent.info`."""
        return self._agent.info

    async def new(self, frame: Frame) -> Frame:
        """See `Agent.new`."""
        return await self._answered("new", partial(self._agent.new, frame))

    async def open(self, frame: Frame, *, replay: bool) -> Frame:
        """See `Agent.open`."""
        return await self._answered("open", partial(self._agent.open, frame, replay=replay))

    async def prompt(self, frame: Frame) -> Turn:
        """See `Agent.prompt`."""
        return ThroughTurn(await self._through("agent.prompt", partial(self._agent.prompt, frame)), self._through)

    async def cancel(self, frame: Frame) -> None:
        """See `Agent.cancel`."""
        await self._through("agent.cancel", partial(self._agent.cancel, frame))

    async def close(self, frame: Frame) -> Frame:
        """See `Agent.close`."""
        return await self._answered("close", partial(self._agent.close, frame))

    async def delete(self, frame: Frame) -> Frame:
        """See `Agent.delete`."""
        return await self._answered("delete", partial(self._agent.delete, frame))

    async def authenticate(self, frame: Frame) -> Frame:
        """See `Agent.authenticate`."""
        return await self._answered("authenticate", partial(self._agent.authenticate, frame))

    async def logout(self, frame: Frame) -> Frame:
        """See `Agent.logout`."""
        return await self._answered("logout", partial(self._agent.logout, frame))

    async def list(self, frame: Frame) -> Frame:
        """See `Agent.list`."""
        return await self._answered("list", partial(self._agent.list, frame))

    async def call(self, frame: Frame) -> Frame:
        """See `Agent.call`."""
        return await self._answered("call", partial(self._agent.call, frame))

    async def notify(self, frame: Frame) -> None:
        """See `Agent.notify`."""
        await self._through("agent.notify", partial(self._agent.notify, frame))

    async def _answered(self, verb: str, call: Verb) -> Frame:
        response: Frame = await self._through(f"agent.{verb}", call)
        return response


class ThroughClient:
    """Implements `Client`."""

    def __init__(self, client: Client, through: Through) -> None:
        """Call `client` so."""
        self._client = client
        self._through = through

    @property
    def info(self) -> PeerInfo:
        """See `Client.info`."""
        return self._client.info

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`."""
        await self._through("client.notify", partial(self._client.notify, frames))

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`."""
        response: Frame = await self._through("client.request", partial(self._client.request, frame))
        return response
