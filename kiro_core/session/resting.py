"""When nobody works in a session: its agent is put to sleep after a while, and a session that was left ends."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from kiro_core.lazily import LazyEvent

if TYPE_CHECKING:
    from kiro_core.session.session import Session


@dataclass(frozen=True, slots=True)
class Sleep:
    """The lifecycle command that ends the agent program until a prompt wakes it."""


class Resting:
    """Watches whether a session is worked in; `since` is when that was so last, by the event loop's clock."""

    def __init__(self, session: Session) -> None:
        """Watch nothing before `begin`."""
        self.since: float = 0.0
        self._session = session
        self._stirred = LazyEvent()
        self._tasks: TaskGroup | None = None
        self._watching = False

    def begin(self, tasks: TaskGroup) -> None:
        """From when the session is open on, watch it in `tasks` while there is something to wait for."""
        self._tasks = tasks

    def end(self) -> None:
        """The session ends: watch no more."""
        self._tasks = None

    @property
    def busy(self) -> bool:
        """Whether the agent is at work, or a person is asked, or a command of the agent runs."""
        session = self._session
        return bool(session.running_turn) or session.questions.any_open or (session.serving and session.services.busy)

    @property
    def may_sleep(self) -> bool:
        """Whether the agent program can be ended and started again with nothing lost."""
        session = self._session
        if not session.serving or self.busy or session.moving or session.services.any_terminal:
            return False
        comes_back = {"load", "resume"} & session.agent.info.abilities & set(session.tools.recovery)
        return bool(comes_back) or not (session.exchange.spoken or session.plan.info.spoken)

    @property
    def may_end(self) -> bool:
        """Whether nobody works in the session or has it open, so that it only lingers."""
        session = self._session
        left = not (session.clients.controllers or self.busy or session.desk.occupied(session))
        return session.ready and not session.closing and left

    def stir(self) -> None:
        """Take note that something began or ended, or somebody came or left."""
        self.since = anyio.current_time()
        self._stirred.set()
        self._stirred = LazyEvent()
        if self._tasks is not None and not self._watching and self._has_to_wait():
            self._watching = True
            self._tasks.start_soon(self._watch)

    async def stirred(self) -> None:
        """Wait until something begins or ends, or somebody comes or leaves."""
        await self._stirred.wait()

    def sleep(self) -> None:
        """Put the agent to sleep now, if it may."""
        if self.may_sleep:
            self._session.send(Sleep())

    async def _watch(self) -> None:
        """Put the agent to sleep when it has idled for `limits.idle_s`, and end the session when it was left for good.

        Left for good is a session without a controller: at once with `when_left = "end"`, else when no turn has run
        for `limits.linger_s` either.
        """
        limits = self._session.tools.limits
        while not self._is_left_for_good():
            if limits.idle_s and anyio.current_time() >= self.since + limits.idle_s:
                self.sleep()
            if not self._has_to_wait():
                self._watching = False
                return
            with anyio.CancelScope(deadline=self._next()):
                await self._stirred.wait()
        self._session.begin_closing()
        with anyio.move_on_after(limits.close_s):
            await self._session.ended.wait()
        self._session.scope.cancel()

    def _has_to_wait(self) -> bool:
        return self._session.ready and (self._is_left_for_good() or self._next() < math.inf)

    def _is_left_for_good(self) -> bool:
        if self._session.clients.controllers:
            return False
        works = self.busy or self._session.desk.occupied(self._session)
        lingers = works or anyio.current_time() < self.since + self._session.tools.limits.linger_s
        return self._session.tools.when_left == "end" or not lingers

    def _next(self) -> float:
        """When there is something to do although nothing stirs."""
        limits, now = self._session.tools.limits, anyio.current_time()
        ends = [self.since + limits.linger_s] if not self._session.clients.controllers else []
        if limits.idle_s and self._session.serving:
            ends.append(self.since + limits.idle_s)
        return math.inf if self.busy else min((end for end in ends if end > now), default=math.inf)
