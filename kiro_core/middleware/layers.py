"""The middlewares of one session in their order: the first is next to the client, the last next to the agent program.

So the first sees first what is asked of the agent program, and has the last word on what that says.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kiro_core.frames import Frame
from kiro_core.middleware.stop import Stop
from kiro_core.ports import Agent, Client, PassingAgent, Turn


class Layers:
    """What stands between a session and its agent program; without middlewares there is nothing in between.

    `sent` is the last turn that the agent program itself was asked for, whatever has become of it on the way back.
    """

    def __init__(self, stops: Sequence[Stop] = ()) -> None:
        """Stand in that order."""
        self.sent: Turn | None = None
        self._stops = stops

    def agent(self, agent: Agent) -> Agent:
        """What the session asks instead of an agent program that was started.

        Raises:
            Vetoed, MiddlewareFailed: a middleware does not give it.

        """
        if self._stops:
            agent = _Noting(agent, self)
        for stop in reversed(self._stops):
            agent = stop.agent(agent)
        return agent

    def client(self, client: Client) -> Client:
        """What the agent program talks to instead of the session.

        Raises:
            Vetoed, MiddlewareFailed: a middleware does not give it.

        """
        for stop in self._stops:
            client = stop.client(client)
        return client

    @property
    def record(self) -> Callable[[Any], Any] | None:
        """Gives a JSON value as it may be recorded and shown; raises `MiddlewareFailed`."""
        return self._record if self._stops else None

    def _record(self, value: Any) -> Any:
        for stop in reversed(self._stops):
            value = stop.record(value)
        return value


class _Noting(PassingAgent):
    """The agent program, of which is noted what it was sent."""

    def __init__(self, agent: Agent, layers: Layers) -> None:
        super().__init__(agent)
        self._layers = layers

    async def prompt(self, frame: Frame) -> Turn:
        self._layers.sent = turn = await self.agent.prompt(frame)
        return turn
