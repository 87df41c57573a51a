"""One run: a task that starts what is ready and waits for what comes, and puts each step on record before the next."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from math import inf
from typing import TYPE_CHECKING, Final, cast

import anyio
from anyio.abc import TaskGroup

from kiro_core.crew.child import Child, Task
from kiro_core.crew.clock import Clock
from kiro_core.crew.keeping import Keeping
from kiro_core.crew.listening import Listening
from kiro_core.crew.prompting import prompt_of
from kiro_core.crew.said import Result
from kiro_core.crew.spending import Spending
from kiro_core.errors import Fenced, KiroError

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.live import Seat
    from kiro_core.crew.record import Past
    from kiro_core.crew.stages import Stage
    from kiro_core.ports import Client, SessionDb
    from kiro_core.types import RunView, SessionId, SessionInfo, Usage

_LOG = logging.getLogger(__name__)
_WHY_STOPPED = {
    "cancelled": "The run was cancelled.",
    "timed_out": "It was still at work when its time was over.",
    "limited": "The run had used more than it may.",
}


class Run:
    """A run whose record is held; implements `Parent`.

    It is `over` when nobody drives it any more: all its stages have settled, or those that have not wait for a person,
    or there was a `failure`, or the desk ends; then it can be resumed.
    """

    def __init__(
        self,
        ground: Ground,
        db: SessionDb,
        past: Past,
        client: Client | None,
        may_start: Callable[[Run], bool] = lambda _: True,
    ) -> None:
        """Do nothing yet; `client` answers what children ask, if nobody above the run does.

        Where another stage may not start now (`may_start`), it is asked again whenever somebody calls `look`.
        """
        self.over: Final = anyio.Event()
        self.failure: Exception | None = None
        self.scope: Final = anyio.CancelScope()
        self.clock: Final = Clock()
        self.id: Final = db.info.id
        self.keeping: Final = Keeping(ground, db, past, self._fail)
        self._may_start = may_start
        self._ground = ground
        self._db = db
        self._past = past
        self._spending = Spending(self._wake)
        self._client = Listening(client, self.keeping.standing.heard, self._spending.saw)
        self._children: dict[str, Child] = {}
        self._ended: list[tuple[Task, Result, Usage]] = []
        self._cancelling = False
        self._woken = anyio.Event()

    def view(self) -> RunView:
        """How it stands, as far as that is on record."""
        return self.keeping.standing.view(live=not self.over.is_set())

    @property
    def parent(self) -> str:
        """The session that asked for it, or empty."""
        return self._db.info.parent

    @property
    def info(self) -> SessionInfo:
        """Its metadata."""
        return self._db.info

    @property
    def stages(self) -> Sequence[Stage]:
        """What is to be done."""
        return self._past.schedule.crew.stages

    @property
    def is_done(self) -> bool:
        """Whether all has settled, and only its end has to be told and put on record."""
        return self._past.schedule.done

    @property
    def at_work(self) -> Sequence[str]:
        """The sessions of the attempts that run; empty for one that is not open yet."""
        states = self._past.schedule.states.items()
        running = [(stage, len(state.attempts)) for stage, state in states if state.phase == "running"]
        return [self._past.children.get(attempt, "") for attempt in running]

    def look(self) -> None:
        """See whether there is something to do now."""
        self._wake()

    def cancel(self) -> None:
        """Have it end: what runs is cancelled, and nothing starts any more."""
        self._cancelling = True
        self._wake()

    async def opened(self, task: Task, session: SessionId) -> None:
        """See `Parent.opened`."""
        self._spending.begin(session)
        await self.keeping.opened(task.stage.id, task.attempt, session)

    def ended(self, task: Task, result: Result, usage: Usage) -> None:
        """See `Parent.ended`."""
        self._ended.append((task, result, usage))
        self._wake()

    async def drive(self) -> None:
        """Run as far as it goes; never raises, but sets `failure`."""
        try:
            with self.scope:
                async with anyio.create_task_group() as watching:
                    watching.start_soon(self._watch_lease)
                    async with self._ground.admit(self._client) as agent, anyio.create_task_group() as children:
                        await self._go_on(agent, children)
                    await self.keeping.conclude()
                    watching.cancel_scope.cancel()
        except* Exception as group:  # noqa: BLE001 - one run's failure ends no other, nor a desk that is ending
            self.failure = self.failure or _first(group)
        if self.failure is not None:
            known = isinstance(self.failure, KiroError)
            level = logging.INFO if known else logging.ERROR
            _LOG.log(level, "run %s ended: %s", self.id, self.failure, exc_info=None if known else self.failure)

    def leave(self) -> None:
        """Tell everybody that nobody drives it any more, and that its record is free."""
        self.over.set()
        self.keeping.standing.change()

    async def _go_on(self, agent: Seat, tasks: TaskGroup) -> None:
        schedule = self._past.schedule
        while True:
            await self._take_in()
            if schedule.done:
                return
            now = self.clock.now()
            if (over := schedule.tick(now, self._spending.usage)) is not None:
                await self.keeping.tell(over)
            for stage, outcome in schedule.overdue(now).items():
                self._children[stage].stop(Result(outcome, _WHY_STOPPED[schedule.ending or outcome]))
            is_held = False
            for ready in schedule.ready(now) if self._ground.is_open else ():
                if is_held := not self._may_start(self):
                    break
                await self._start(ready, agent, tasks)
            due = schedule.next_due(now) if self._ground.is_open else None
            if not (self._children or is_held) and due is None:
                return  # what is left, if anything is, waits for a person or for another desk
            with anyio.CancelScope(deadline=inf if due is None else self.clock.deadline(due)):
                await self._woken.wait()

    async def _take_in(self) -> None:
        self._woken = anyio.Event()
        ended, self._ended = self._ended, []
        schedule = self._past.schedule
        for task, result, usage in ended:
            stage = task.stage.id
            del self._children[stage]
            self._spending.end(self._past.children.get((stage, task.attempt), ""))
            await self.keeping.tell(schedule.settled(stage, task.attempt, *result, self.clock.now(), usage=usage))
        if self._cancelling and not (schedule.ending or schedule.done):
            await self.keeping.tell(schedule.cancel(self.clock.now()))

    async def _start(self, stage: Stage, agent: Seat, tasks: TaskGroup) -> None:
        event = self._past.schedule.started(stage.id, self.clock.now())
        await self.keeping.tell(event)
        info = self._db.info
        prompt = prompt_of(self._past.schedule, stage.id)
        past = self._past
        task = Task(self.id, info.cwd, info.roots, past.engine, stage, event.attempt, prompt, past.hops)
        child = self._children[stage.id] = Child(task, self._ground, agent, self)
        tasks.start_soon(child.run)

    def _wake(self) -> None:
        self._woken.set()

    async def _watch_lease(self) -> None:
        await self._db.lost.wait()
        self._fail(Fenced("Another owner has taken the run over.", hint="It goes on there."))

    def _fail(self, error: KiroError) -> None:
        self.failure = self.failure or error
        self.scope.cancel()


def _first(group: BaseExceptionGroup[Exception]) -> Exception:
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return cast("Exception", error)
