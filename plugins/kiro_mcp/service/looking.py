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
from kiro_mcp.service.views import TaskView

_SETTLED_S = 1.0
"""A turn's end is on record a moment before whoever asked for it learns it."""


class Looking:
    """Looks at tasks, once or until there is something new."""

    def __init__(self, ground: Ground, questions: Questions) -> None:
        """Wait for what is recorded, and for `questions`."""
        self._desk = ground.desk
        self._bells = ground.bells
        self._questions = questions

    async def look(self, task: Task, first: int, wait_s: float = 0.0) -> TaskView:
        """How a task stands, with its chunks from number `first` on, as soon as there is news; in `wait_s` at most.

        Raises:
            KiroError: its record cannot be read.

        """
        reading = Reading(self._desk, task.session, task.progress, first)
        await reading.catch_up()
        deadline = anyio.current_time() + wait_s
        over = False
        while not (over or self._is_news(task, reading)) and anyio.current_time() < deadline:
            with self._bells.wait(task.session, deadline):
                await reading.next()
                # The session has ended: so does a turn of ours in a moment, and of another nothing more comes.
                over = not reading.news and task.turn is None
                if not (over or reading.news):
                    await anyio.sleep_forever()
            await reading.catch_up()
        await self._end(task, reading)
        if task.progress.ended and task.turn is not None:
            with anyio.move_on_after(_SETTLED_S):
                await task.settled.wait()
        return self._view(task, reading, first)

    def known(self, task: Task) -> TaskView:
        """How a task stood when it was read last."""
        return self._view(task, Reading(self._desk, task.session, task.progress, NONE), NONE)

    def _is_news(self, task: Task, reading: Reading) -> bool:
        ended = task.outcome is not None or (task.cancelled and not reading.progress.started_at)
        return ended or reading.news or self._questions.of(task.session) is not None

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
            None if done else self._questions.of(task.session),
            progress.stop_reason,
            progress.failure,
            tools=tuple((progress.tools or {}).values()),
        )


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
