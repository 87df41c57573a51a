"""One run: a task that starts what is ready and waits for what comes, and puts each step on record before the next."""

from __future__ import annotations

import logging
from dataclasses import replace
from math import inf
from typing import Any

import anyio
from anyio.abc import TaskGroup

from kiro_core.crew.child import Child, Task
from kiro_core.crew.clock import Clock
from kiro_core.crew.events import Event
from kiro_core.crew.ground import Ground
from kiro_core.crew.listening import Listening
from kiro_core.crew.prompting import prompt_of
from kiro_core.crew.record import BEGUN, CHILD, ENDED, EVENT, Past, begun
from kiro_core.crew.report import report
from kiro_core.crew.said import Result
from kiro_core.crew.stages import Stage
from kiro_core.crew.viewing import Standing
from kiro_core.errors import Fenced, KiroError, Unavailable, unwrapped
from kiro_core.journal import Journal, utc_now
from kiro_core.ports import Agent, Client, SessionDb
from kiro_core.types import RunView

_LOG = logging.getLogger(__name__)


class Run:
    """A run whose record is held; implements `Parent`.

    It is `over` when nobody drives it any more: all its stages have settled, or those that have not wait for a person,
    or there was a `failure`, or the desk ends; then it can be resumed.
    """

    def __init__(self, ground: Ground, db: SessionDb, past: Past, client: Client | None) -> None:
        """Do nothing yet; `client` answers what children ask, if nobody above the run does."""
        self.over = anyio.Event()
        self.failure: Exception | None = None
        self.scope = anyio.CancelScope()
        self.clock = Clock()
        self.past = past
        self.id = db.info.id
        self._ground = ground
        self._db = db
        self._journal = Journal(db, strict=ground.settings.durability == "strict")
        self.standing = Standing(past, self.id)
        self._client = Listening(client, self.standing.heard)
        self._children: dict[str, Child] = {}
        self._ended: list[tuple[Task, Result]] = []
        self._cancelling = False
        self._woken = anyio.Event()

    def view(self) -> RunView:
        """How it stands, as far as that is on record."""
        return self.standing.view(live=not self.over.is_set())

    def cancel(self) -> None:
        """Have it end: what runs is cancelled, and nothing starts any more."""
        self._cancelling = True
        self._woken.set()

    async def begin(self) -> None:
        """Put on record what is to be done.

        Raises:
            Unavailable, Fenced.

        """
        await self._record(BEGUN, begun(self.past, self._db.info.cwd))

    async def tell(self, event: Event) -> None:
        """Put on record what has happened.

        Raises:
            Unavailable, Fenced: it is not there, and the run ends.

        """
        await self._record(EVENT, event.to_json())
        self.standing.look()

    async def opened(self, task: Task, session: str) -> None:
        """See `Parent.opened`."""
        await self._record(CHILD, {"stage": task.stage.id, "attempt": task.attempt, "session": session})
        self.past.children[task.stage.id, task.attempt] = session
        self.standing.look()

    def ended(self, task: Task, result: Result) -> None:
        """See `Parent.ended`."""
        self._ended.append((task, result))
        self._woken.set()

    async def drive(self) -> None:
        """Run as far as it goes; never raises, but sets `failure`."""
        try:
            with unwrapped(), self.scope:
                async with anyio.create_task_group() as watching:
                    watching.start_soon(self._watch_lease)
                    async with self._ground.admit(self._client) as agent, anyio.create_task_group() as children:
                        await self._go_on(agent, children)
                    await self._conclude()
                    watching.cancel_scope.cancel()
        except Exception as error:  # noqa: BLE001 - one run's failure, of whatever kind, ends no other and no session
            self.failure = self.failure or error
        if self.failure is not None:
            known = isinstance(self.failure, KiroError)
            level = logging.INFO if known else logging.ERROR
            _LOG.log(level, "run %s ended: %s", self.id, self.failure, exc_info=None if known else self.failure)

    def leave(self) -> None:
        """Tell everybody that nobody drives it any more, and that its record is free."""
        self.over.set()
        self.standing.change()

    async def _go_on(self, agent: Agent, tasks: TaskGroup) -> None:
        schedule = self.past.schedule
        while True:
            await self._take_in()
            if schedule.done:
                return
            now = self.clock.now()
            if (over := schedule.tick(now)) is not None:
                await self.tell(over)
            for stage, outcome in schedule.overdue(now).items():
                self._children[stage].stop(outcome)
            for ready in schedule.ready(now) if self._ground.is_open else ():
                await self._start(ready, agent, tasks)
            due = schedule.next_due(now) if self._ground.is_open else None
            if not self._children and due is None:
                return  # what is left, if anything is, waits for a person or for another desk
            with anyio.CancelScope(deadline=inf if due is None else self.clock.deadline(due)):
                await self._woken.wait()

    async def _take_in(self) -> None:
        self._woken = anyio.Event()
        ended, self._ended = self._ended, []
        schedule = self.past.schedule
        for task, result in ended:
            del self._children[task.stage.id]
            await self.tell(schedule.settled(task.stage.id, task.attempt, *result, self.clock.now()))
        if self._cancelling and not (schedule.ending or schedule.done):
            await self.tell(schedule.cancel(self.clock.now()))

    async def _start(self, stage: Stage, agent: Agent, tasks: TaskGroup) -> None:
        event = self.past.schedule.started(stage.id, self.clock.now())
        await self.tell(event)
        info = self._db.info
        prompt = prompt_of(self.past.schedule, stage.id)
        task = Task(self.id, info.cwd, info.roots, self.past.engine, stage, event.attempt, prompt)
        child = self._children[stage.id] = Child(task, self._ground, agent, self)
        tasks.start_soon(child.run)

    async def _conclude(self) -> None:
        if self.past.schedule.done:
            told = report(self.past.schedule, self.id, self.past.children)
            await self._record(ENDED, told.to_json())
        try:
            await self._db.put_info(replace(self._db.info, updated=utc_now()))
        except Unavailable as error:
            _LOG.warning("run %s: its metadata could not be written: %s", self.id, error)

    async def _record(self, kind: str, data: Any) -> None:
        try:
            await self._journal.settled(kind, data)
        except KiroError as error:
            self._fail(error)
            raise

    async def _watch_lease(self) -> None:
        await self._db.lost.wait()
        self._fail(Fenced("Another owner has taken the run over.", hint="It goes on there."))

    def _fail(self, error: KiroError) -> None:
        self.failure = self.failure or error
        self.scope.cancel()
