"""The place of one middleware in one session: wherever something passes there, what may go wrong stays there."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any, Protocol

import anyio

from kiro_core.errors import KiroError, Vetoed
from kiro_core.frames import Frame
from kiro_core.middleware.failing import FAILS, Failing, Own
from kiro_core.middleware.shape import same_shape
from kiro_core.middleware.through import ThroughAgent, ThroughClient
from kiro_core.middleware.visiting import Verb, Visit, Visits
from kiro_core.ports import Agent, Client, Layer
from kiro_core.types import PeerInfo


class Layered(Protocol):
    """What middlewares need of their session."""

    def fail(self, error: KiroError) -> None:
        """End it, and wait for nothing."""
        ...

    async def kept_out(self, by: str, updates: int, veto: Vetoed) -> None:
        """Take note that so many messages of the agent program were neither recorded nor shown."""
        ...

    async def denied(self, by: str, frame: Frame, error: Own) -> Frame:
        """Refuse what the agent program has asked.

        Raises:
            KiroError: where the answer is an error.

        """
        ...


class Stop:
    """One middleware on the way between a session and its agent program."""

    def __init__(self, layer: Layer, failing: Failing, limit_s: float, session: Layered) -> None:
        """Stand nowhere yet."""
        self.session = session
        self.visits: Visits = Visits(failing, limit_s)
        self.failing = failing
        self._layer = layer
        self._limit_s = limit_s

    def agent(self, agent: Agent) -> Agent:
        """What the desk asks instead of `agent`.

        Raises:
            Vetoed, MiddlewareFailed: the middleware does not give it.

        """
        given = ThroughAgent(agent, self._within)
        wrapped = self.failing.now("agent", self._layer.agent, given)
        if not hasattr(wrapped, "prompt"):
            raise self.failing.wrong("agent", wrapped, "an Agent")
        return agent if wrapped is given else _Agent(wrapped, self, agent)

    def client(self, client: Client) -> Client:
        """What the agent program talks to instead of `client`.

        Raises:
            Vetoed, MiddlewareFailed: the middleware does not give it.

        """
        given = _GivenClient(client, self._within, self.visits)
        wrapped = self.failing.now("client", self._layer.client, given)
        if not hasattr(wrapped, "notify"):
            raise self.failing.wrong("client", wrapped, "a Client")
        return client if wrapped is given else _Client(wrapped, self)

    def record(self, value: Any) -> Any:
        """See `Layer.record`; what takes too long nobody can cut short, so it fails behind that.

        Raises:
            MiddlewareFailed: the session ends.

        """
        began = anyio.current_time()
        try:
            result = self._layer.record(value)
        except FAILS as error:
            failed = self.failing.raised("record", error)
            self.session.fail(failed)
            raise failed from error
        if anyio.current_time() - began > self._limit_s:
            failed = self.failing.late("record", self._limit_s)
        elif not same_shape(value, result):
            failed = self.failing.wrong("record", result, "a value of the same shape")
        else:
            return result
        self.session.fail(failed)
        raise failed

    async def _within(self, seam: str, verb: Verb) -> Any:  # noqa: ARG002 - `Through`
        return await self.visits.within(verb)


class _Agent(ThroughAgent):
    """A middleware's agent; a cancel gets past one that does not pass it on."""

    def __init__(self, wrapped: Agent, stop: Stop, behind: Agent) -> None:
        super().__init__(wrapped, stop.visits.call)
        self._stop = stop
        self._behind = behind

    @property
    def info(self) -> PeerInfo:
        info: PeerInfo = self._stop.failing.now("agent.info", lambda: self._agent.info)
        return info

    async def cancel(self, frame: Frame) -> None:
        async def otherwise(_: Visit, __: Own) -> None:
            await self._behind.cancel(frame)

        await self._stop.visits.call("agent.cancel", partial(self._agent.cancel, frame), otherwise)


class _GivenClient(ThroughClient):
    """What a middleware is given as its client."""

    def __init__(self, client: Client, through: Any, visits: Visits) -> None:
        super().__init__(client, through)
        self._visits = visits

    async def notify(self, frames: Sequence[Frame]) -> None:
        if (visit := self._visits.current) is not None:
            visit.passed_on += len(frames)
        await super().notify(frames)


class _Client(ThroughClient):
    """A middleware's client; the agent program never learns what became of what it says."""

    def __init__(self, wrapped: Client, stop: Stop) -> None:
        super().__init__(wrapped, stop.visits.call)
        self._stop = stop
        self._failed = False

    @property
    def info(self) -> PeerInfo:
        info: PeerInfo = self._stop.failing.now("client.info", lambda: self._client.info)
        return info

    async def notify(self, frames: Sequence[Frame]) -> None:
        async def otherwise(visit: Visit, own: Own) -> None:
            if isinstance(own, Vetoed):
                await self._stop.session.kept_out(self._stop.failing.name, len(frames) - visit.passed_on, own)
            else:
                self._failed = True
                self._stop.session.fail(own)

        if not self._failed:
            await self._stop.visits.call("client.notify", partial(self._client.notify, frames), otherwise)

    async def request(self, frame: Frame) -> Frame:
        async def otherwise(_: Visit, own: Own) -> Frame:
            return await self._stop.session.denied(self._stop.failing.name, frame, own)

        response: Frame = await self._stop.visits.call(
            "client.request", partial(self._client.request, frame), otherwise
        )
        return response
