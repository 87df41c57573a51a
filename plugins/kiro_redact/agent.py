"""The agent as the desk meets it: it is told everything, and what it answers goes through the redaction."""

from __future__ import annotations

import anyio

from kiro_core.frames import Frame
from kiro_core.ports import Agent, PassingAgent, PassingTurn, Turn
from kiro_redact.client import RedactingClient
from kiro_redact.redactor import Redactor, is_extension

_LET_GO_S = 2.0


class RedactingTurn(PassingTurn):
    """A turn, at whose end nothing is held back any more."""

    def __init__(self, turn: Turn, redactor: Redactor, client: RedactingClient) -> None:
        """A turn that has begun; its updates go to `client`."""
        super().__init__(turn)
        self._redactor = redactor
        self._client: RedactingClient | None = client

    async def settled(self) -> Frame:
        """See `Turn.settled`."""
        try:
            response = await self.turn.settled()
        except BaseException:
            # Also where nobody waits for it any more: what the agent has said is not lost with that.
            with anyio.move_on_after(_LET_GO_S, shield=True):
                await self._end(cut=True)
            raise
        await self._end(cut=response.result.get("stopReason") != "end_turn")
        return self._redactor.frame(response)

    async def _end(self, *, cut: bool) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.turn_ends(cut=cut)


class RedactingAgent(PassingAgent):
    """Stands between a session and one agent program."""

    def __init__(self, agent: Agent, redactor: Redactor, client: RedactingClient) -> None:
        """Pass on to `agent`, whose updates go to `client`."""
        super().__init__(agent)
        self._redactor = redactor
        self._client = client

    async def prompt(self, frame: Frame) -> Turn:
        """See `Agent.prompt`."""
        self._client.turn_begins()
        try:
            turn = await self.agent.prompt(frame)
        except BaseException:
            with anyio.move_on_after(_LET_GO_S, shield=True):
                await self._client.turn_ends(cut=True)
            raise
        return RedactingTurn(turn, self._redactor, self._client)

    async def new(self, frame: Frame) -> Frame:
        """See `Agent.new`."""
        return self._redactor.frame(await self.agent.new(frame))

    async def open(self, frame: Frame, *, replay: bool) -> Frame:
        """See `Agent.open`."""
        return self._redactor.frame(await self.agent.open(frame, replay=replay))

    async def close(self, frame: Frame) -> Frame:
        """See `Agent.close`."""
        return self._redactor.frame(await self.agent.close(frame))

    async def delete(self, frame: Frame) -> Frame:
        """See `Agent.delete`."""
        return self._redactor.frame(await self.agent.delete(frame))

    async def authenticate(self, frame: Frame) -> Frame:
        """See `Agent.authenticate`."""
        return self._redactor.frame(await self.agent.authenticate(frame))

    async def logout(self, frame: Frame) -> Frame:
        """See `Agent.logout`."""
        return self._redactor.frame(await self.agent.logout(frame))

    async def list(self, frame: Frame) -> Frame:
        """See `Agent.list`."""
        return self._redactor.frame(await self.agent.list(frame))

    async def call(self, frame: Frame) -> Frame:
        """See `Agent.call`."""
        return self._redactor.frame(await self.agent.call(frame), free=is_extension(frame))
