"""A turn in another desk is taken back by itself: its session may have prompts of others there."""

from __future__ import annotations

from typing import Protocol

from kiro_core.frames import Frame
from kiro_core.ports import Turn
from kiro_core.rpc import CANCELLED, Caller, Pending, RemoteAgent
from kiro_core.types import PeerInfo


class Asking(Caller, Protocol):
    """A caller that can take back a single request."""

    async def take_back(self, pending: Pending) -> None:
        """See `Peer.take_back`."""
        ...


class DeskAgent(RemoteAgent):
    """The agent that another desk is; unlike an agent program, it has many turns of a session at a time."""

    def __init__(self, caller: Asking, info: PeerInfo) -> None:
        """Speak to a desk that introduced itself."""
        super().__init__(caller, info)
        self._asking = caller

    async def prompt(self, frame: Frame) -> Turn:
        """See `Agent.prompt`."""
        return DeskTurn(self._asking, await self._asking.start(frame))


class DeskTurn:
    """A prompt that was sent to another desk."""

    def __init__(self, caller: Asking, pending: Pending) -> None:
        """Wait for the answer to the prompt."""
        self._caller = caller
        self._pending = pending

    async def settled(self) -> Frame:
        """See `Turn.settled`; a turn that was taken back says so as one of our own does."""
        response = await self._pending.settled()
        if response.failed and response.error.get("code") == CANCELLED:
            return Frame.answer({"stopReason": "cancelled"})
        return response

    async def cancel(self) -> None:
        """See `Turn.cancel`."""
        await self._caller.take_back(self._pending)
