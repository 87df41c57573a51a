"""Agents, clients, turns and layers that pass everything on, so that a middleware writes only what it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kiro_core.frames import Frame
from kiro_core.ports.talking import Agent, Client, Turn

if TYPE_CHECKING:
    from kiro_core.types import PeerInfo


class PassingTurn:
    """A turn as it is."""

    def __init__(self, turn: Turn) -> None:
        """Pass on to `turn`."""
        self.turn = turn

    async def settled(self) -> Frame:
        """Wait for its outcome."""
        return await self.turn.settled()

    async def cancel(self) -> None:
        """Cancel it."""
        await self.turn.cancel()


class PassingAgent:
    """An agent as it is; see `Agent` for what each verb takes and gives."""

    def __init__(self, agent: Agent) -> None:
        """Pass on to `agent`."""
        self.agent = agent

    @property
    def info(self) -> PeerInfo:
        """What it said of itself."""
        return self.agent.info

    async def new(self, frame: Frame) -> Frame:
        """Pass it on."""
        return await self.agent.new(frame)

    async def open(self, frame: Frame, *, replay: bool) -> Frame:
        """Pass it on."""
        return await self.agent.open(frame, replay=replay)

    async def prompt(self, frame: Frame) -> Turn:
        """Pass it on."""
        return await self.agent.prompt(frame)

    async def cancel(self, frame: Frame) -> None:
        """Pass it on."""
        await self.agent.cancel(frame)

    async def close(self, frame: Frame) -> Frame:
        """Pass it on."""
        return await self.agent.close(frame)

    async def delete(self, frame: Frame) -> Frame:
        """Pass it on."""
        return await self.agent.delete(frame)

    async def authenticate(self, frame: Frame) -> Frame:
        """Pass it on."""
        return await self.agent.authenticate(frame)

    async def logout(self, frame: Frame) -> Frame:
        """Pass it on."""
        return await self.agent.logout(frame)

    async def list(self, frame: Frame) -> Frame:
        """Pass it on."""
        return await self.agent.list(frame)

    async def call(self, frame: Frame) -> Frame:
        """Pass it on."""
        return await self.agent.call(frame)

    async def notify(self, frame: Frame) -> None:
        """Pass it on."""
        await self.agent.notify(frame)


class PassingClient:
    """A client as it is; see `Client`."""

    def __init__(self, client: Client) -> None:
        """Pass on to `client`."""
        self.client = client

    @property
    def info(self) -> PeerInfo:
        """What it said of itself."""
        return self.client.info

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Pass them on."""
        await self.client.notify(frames)

    async def request(self, frame: Frame) -> Frame:
        """Pass it on."""
        return await self.client.request(frame)


class PassingLayer:
    """A layer that nothing stops at; a middleware overrides what it is about."""

    def agent(self, agent: Agent) -> Agent:
        """Put nothing in its way."""
        return agent

    def client(self, client: Client) -> Client:
        """Put nothing in its way."""
        return client

    def record(self, value: Any) -> Any:
        """Have it recorded and shown as it is."""
        return value
