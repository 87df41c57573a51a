"""One call of a middleware: only its own time counts, and whose failure it was is known.

Each runs in a task of its own, so that a cancel scope or task group that is left open ends with that task, and is
noticed. What a middleware is given knows the call by the context in which it is called: control has left the middleware
then, so the clock stands still, and what is raised there is not the middleware's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from kiro_core.frames import Frame
from kiro_core.middleware.failing import FAILS, Failing, Own, single

Verb = Callable[[], Awaitable[Any]]
Otherwise = Callable[["Visit", Own], Awaitable[Any]]
"""What to do instead when the middleware itself vetoes or fails."""

_GIVES_NOTHING = ("agent.cancel", "agent.notify", "turn.cancel", "client.notify")
_visit: ContextVar[Visit] = ContextVar("visit")


class Visit:
    """A call that lasts; `passed_on` counts the messages that the middleware has passed on in its course."""

    def __init__(self, place: Visits, scope: anyio.CancelScope) -> None:
        """Begin to count its time."""
        self.place = place
        self.passed_on = 0
        self.answer: Any = None
        self.answered: bool = False
        self.error: BaseException | None = None
        self.is_over: bool = False
        self._from_within: list[BaseException] = []
        self._within = 0
        self._scope = scope
        self._left_s = place.limit_s
        self._go_on()

    @property
    def late(self) -> bool:
        """Whether its time was over before it ended."""
        return not self.answered and self.error is None and anyio.current_time() >= self._scope.deadline

    @property
    def failed_within(self) -> bool:
        """Whether its error came out of what the middleware was given."""
        return any(self.error is error for error in self._from_within)

    async def run(self, verb: Verb) -> None:
        """Have it."""
        _visit.set(self)
        with (
            anyio.CancelScope()
        ):  # on trio, who ends a task need not have left its scopes; who leaves one around them has to
            await self._run(verb)

    async def _run(self, verb: Verb) -> None:
        try:
            self.answer = await verb()
            self.answered = True
        except FAILS as error:  # a middleware fails in any way it likes
            self.error = single(error)
        finally:
            self.is_over = True

    @contextmanager
    def within(self) -> Iterator[None]:
        """While control is in what the middleware was given."""
        if not self._within:
            self._left_s = self._scope.deadline - anyio.current_time()
            self._scope.deadline = float("inf")
        self._within += 1
        try:
            yield
        except Exception as error:
            self._from_within.append(error)
            raise
        finally:
            self._within -= 1
            if not self._within:
                self._go_on()

    def _go_on(self) -> None:
        self._scope.deadline = anyio.current_time() + self._left_s


class Visits:
    """The calls of one middleware in one session, each of which has `limit_s` seconds."""

    def __init__(self, failing: Failing, limit_s: float) -> None:
        """Call nothing yet."""
        self.limit_s = limit_s
        self._failing = failing

    @property
    def current(self) -> Visit | None:
        """The call in whose course this is; None in a task that the middleware keeps for itself."""
        visit = _visit.get(None)
        return visit if visit is not None and visit.place is self and not visit.is_over else None

    async def call(self, seam: str, verb: Verb, otherwise: Otherwise | None = None) -> Any:
        """Call the middleware, and give its answer; `seam` says in messages where that is.

        Raises:
            Vetoed, MiddlewareFailed: the middleware's own, unless there is something to do `otherwise`.
            Exception: whatever came out of what it was given.

        """
        leak: BaseException | None = None
        try:
            async with anyio.create_task_group() as tasks:
                visit = Visit(self, tasks.cancel_scope)
                tasks.start_soon(visit.run, verb)
        except BaseExceptionGroup as group:
            leak, other = group.split((Exception, anyio.get_cancelled_exc_class()))
            if other is not None:
                raise
            await checkpoint_if_cancelled()  # who waits no more learns of nothing else
        if leak is None and visit.failed_within and visit.error is not None:
            raise visit.error
        own = self._own(seam, visit, leak)
        if own is None:
            return visit.answer
        if otherwise is None:
            raise own
        return await otherwise(visit, own)

    async def within(self, verb: Verb) -> Any:
        """Call what the middleware was given, on its behalf."""
        visit = self.current
        if visit is None:
            return await verb()
        with visit.within():
            return await verb()

    def _own(self, seam: str, visit: Visit, leak: BaseException | None) -> Own | None:
        """What the middleware itself has done wrong, or on purpose."""
        if leak is not None:
            return self._failing.leaked(seam, leak)
        if visit.late:
            return self._failing.late(seam, self.limit_s)
        if not visit.answered:
            return self._failing.of(seam, visit.error)
        return self._unfit(seam, visit.answer)

    def _unfit(self, seam: str, answer: object) -> Own | None:
        """An answer that is none: a `return` is soon forgotten."""
        if seam in _GIVES_NOTHING:
            return None
        if seam == "agent.prompt":
            return None if hasattr(answer, "settled") else self._failing.wrong(seam, answer, "a Turn")
        return None if isinstance(answer, Frame) else self._failing.wrong(seam, answer, "a Frame")
