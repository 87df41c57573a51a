"""The middlewares of one session in their order: the first is next to the client, the last next to the agent program.

So the first sees first what is asked of the agent program, and has the last word on what that says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from typing import Any

from kiro_core.frames import Frame
from kiro_core.middleware.stop import Stop
from kiro_core.ports import Agent, Client, PassingAgent, PassingClient, Turn

Heard = Callable[[Sequence[Frame]], Awaitable[None]]

_asked: ContextVar[Frame | None] = ContextVar("asked", default=None)


class Layers:
    """What stands between a session and its agent program; without middlewares there is nothing in between.

    Since `expect`, `reached` tells that the agent program itself was sent a prompt, and `sent` is the turn that it has
    given, whatever has become of that on the way back. `hears` tells that what it says is heard as it came.
    """

    def __init__(self, stops: Sequence[Stop] = ()) -> None:
        """Stand in that order."""
        self.hears: bool = False
        self.reached: bool = False
        self.sent: Turn | None = None
        self._stops = stops

    def expect(self) -> None:
        """Begin anew: the next prompt is on its way to the agent program."""
        self.reached, self.sent = False, None

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

    def client(self, client: Client, heard: Heard) -> Client:
        """What the agent program talks to instead of the session.

        What it says is `heard` as it came, before a middleware that changes something has it.

        Raises:
            Vetoed, MiddlewareFailed: a middleware does not give it.

        """
        outermost = client
        for stop in self._stops:
            client = stop.client(client)
        self.hears = client is not outermost
        return _Hearing(client, heard) if self.hears else client

    def asked(self, frame: Frame) -> Frame:
        """A request that has come through, as the agent program asked it."""
        return (_asked.get() or frame) if self.hears else frame

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
        self._layers.reached = True
        self._layers.sent = turn = await self.agent.prompt(frame)
        return turn


class _Hearing(PassingClient):
    """What the agent program itself talks to: what it does and asks is known before a middleware may rewrite that."""

    def __init__(self, client: Client, heard: Heard) -> None:
        super().__init__(client)
        self._heard = heard

    async def notify(self, frames: Sequence[Frame]) -> None:
        await self._heard(frames)
        await self.client.notify(frames)

    async def request(self, frame: Frame) -> Frame:
        # In the context, as the tasks of the middlewares inherit that.
        token = _asked.set(frame)
        try:
            return await self.client.request(frame)
        finally:
            _asked.reset(token)
