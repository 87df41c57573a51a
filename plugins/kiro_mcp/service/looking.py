"""How a task stands: what its record tells, what this server knows besides, and what its agent waits for."""

from __future__ import annotations

import anyio

from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.known import Task
from kiro_mcp.service.progress import Progress
from kiro_mcp.service.questions import Questions
from kiro_mcp.service.reading import NONE, Reading
from kiro_mcp.service.showing import utc_now
from kiro_mcp.service.views import Question, TaskView

_SETTLED_S = 1.0
"""A turn's end is on record a moment before whoever asked for it learns it."""


class Looking:
    """Looks at tasks, once or until there is something new."""

    def __init__(self, ground: Ground, questions: Questions) -> None:
        """Wait for what is recorded, and for `questions`."""
        self._desk = ground.desk
        self._bells = ground.bells
        self._questions = questions

    async def look(self, task: Task, first: int, wait_s: float = 0.0, gather_s: float = 0.0) -> TaskView:
        """How a task stands, with its chunks from number `first` on, as soon as there is news; in `wait_s` at most.

        What is said and done is gathered for `gather_s`; the task's end and a question are told at once.

        Raises:
            KiroError: its record cannot be read.

        """
        reading = Reading(self._desk, task.session, task.progress, first)
        begun, over = anyio.current_time(), False
        gather_s = min(gather_s, wait_s) if task.turn is not None else 0.0  # only the end of a turn of ours rings
        await self._catch_up(task, reading)
        while not (over or self._is_urgent(task, reading)):
            until = begun + (gather_s if reading.news else wait_s)
            if anyio.current_time() >= until:
                break
            with self._bells.wait(task.session, until):
                over = await _news(task, reading)
            await self._catch_up(task, reading)
        await self._end(task, reading)
        if task.progress.ended and task.turn is not None:
            with anyio.move_on_after(_SETTLED_S):
                await task.settled.wait()
        return self._view(task, reading, first)

    def known(self, task: Task) -> TaskView:
        """How a task stood when it was read last."""
        return self._view(task, Reading(self._desk, task.session, task.progress, NONE), NONE)

    async def _catch_up(self, task: Task, reading: Reading) -> None:
        """Read what is on record: what was asked before that belongs to a turn that it tells."""
        while True:
            asked = self._questions.of(task.session)
            await reading.catch_up()
            if self._questions.of(task.session) is asked:
                return

    def _is_urgent(self, task: Task, reading: Reading) -> bool:
        ended = task.outcome is not None or (task.cancelled and not reading.progress.started_at)
        return ended or reading.full or reading.progress.ended or self._question(task, reading.progress) is not None

    def _question(self, task: Task, progress: Progress) -> Question | None:
        """What is asked for a task: by its own turn, or by the session before it begins one."""
        question = self._questions.of(task.session)
        if question is None or progress.running or (question.of_session and not progress.started_at):
            return question
        return None

    async def _end(self, task: Task, reading: Reading) -> None:
        """Find the end of a task that its record does not tell."""
        if task.outcome is not None or task.cancelled:
            await reading.catch_up()  # it was recorded before we learnt of it, unless the store failed
        if reading.progress.seq > task.progress.seq:
            task.progress = reading.progress.copy()
        if reading.full or reading.progress.ended:
            return
        if task.outcome is not None:
            reading.progress.settle(task.outcome, utc_now())
        elif task.cancelled and not reading.progress.started_at:
            reading.progress.settle({"state": "cancelled"}, utc_now())
        elif task.turn is None and not await self._desk.holder(task.session):
            _cut_off(reading.progress, task)

    def _view(self, task: Task, reading: Reading, first: int) -> TaskView:
        progress, chunks = reading.progress, reading.chunks()
        done = progress.ended and not reading.full
        return TaskView(
            task.id,
            task.session,
            progress.status if done or not progress.ended else "streaming",
            done,
            progress.created_at,
            progress.started_at,
            progress.completed_at,
            progress.size,
            chunks,
            chunks[-1].index if chunks else min(first, progress.count) - 1,
            None if done else self._question(task, progress),
            progress.stop_reason,
            progress.failure,
            tools=tuple((progress.tools or {}).values()),
        )


async def _news(task: Task, reading: Reading) -> bool:
    """Wait for what is said and done, or else for a bell; whether nothing more can come."""
    if not reading.news:
        await reading.next()
        over = not reading.news
        if task.turn is None or not over:
            return over
    await anyio.sleep_forever()  # where the session has ended, a turn of ours does so in a moment
    return False


def _cut_off(progress: Progress, task: Task) -> None:
    """Nobody has the session open, so that nobody works on its turn."""
    progress.settle({"state": "unknown"}, "")
    if not progress.started_at:
        progress.failure = ToolFailure(
            "SESSION_INACTIVE",
            "The task was accepted and never begun, and its session is not open any more.",
            hint="Open the session with kiro_session_load, and ask again.",
            details={"session_id": task.session, "task_id": task.id},
        )
