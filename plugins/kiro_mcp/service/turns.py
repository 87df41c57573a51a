"""Has turns with the desk: each is taken and known here, or it is taken back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import anyio

from kiro_core.errors import KiroError
from kiro_core.frames import Frame
from kiro_core.messages import prompt
from kiro_core.ports import Turn
from kiro_core.rpc import failure
from kiro_core.types import SessionId
from kiro_mcp.service.access import Access
from kiro_mcp.service.failing import failure_in
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.known import Known, Task
from kiro_mcp.service.live import Live
from kiro_mcp.service.progress import Progress
from kiro_mcp.service.reading import NONE, Reading

_LOG = logging.getLogger(__name__)
_TAKEN_S = 90.0
"""Longer than an agent program takes to start: a session whose desk has ended is opened again first."""
_TAKE_BACK_S = 5.0


class Turns:
    """Begins turns, and takes note of how each ends."""

    def __init__(self, ground: Ground, access: Access, known: Known) -> None:
        """Keep them among the `known` tasks."""
        self._desk = ground.desk
        self._agent = ground.agent
        self._bells = ground.bells
        self._tasks = ground.tasks
        self._access = access
        self._known = known

    async def begin(self, live: Live, text: str, key: str) -> Task:
        """Have a turn; returns when its prompt is on record. Who is cancelled meanwhile takes it back.

        Raises:
            ToolFailure: it was not accepted; SERVER_OVERLOADED.

        """
        task = Task(SessionId(live.id), Progress(key, live.seen, live.seen))
        with self._access.using(live):
            with self._known.room():
                task.turn = await self._sent(prompt(live.id, text, task=key))
            self._known.add(task)
            live.begin_turn()
            self._tasks.start_soon(self._settle, task, task.turn, live)
            try:
                with anyio.fail_after(_TAKEN_S):
                    await self._accepted(task)
            except BaseException:
                await self.cancel(task)
                raise
        live.seen = max(live.seen, task.progress.seq)
        return task

    async def cancel(self, task: Task) -> None:
        """Cancel a task that is not finished; it ends a moment later, also for who is cancelled while it waits."""
        task.cancelled = True
        self._bells.ring(task.session)
        if task.turn is not None:
            with anyio.move_on_after(_TAKE_BACK_S, shield=True):
                await task.turn.cancel()

    async def _sent(self, frame: Frame) -> Turn:
        # Who is cancelled while a prompt is on its way to another desk has to know its turn, to take it back.
        with anyio.fail_after(_TAKEN_S, shield=True):
            return await self._agent.prompt(frame)

    async def _accepted(self, task: Task) -> None:
        """Wait until it is on record: another desk says only in the turn's outcome that it refuses a prompt."""
        reading = Reading(self._desk, task.session, task.progress, NONE)
        while task.outcome is None and not reading.progress.turn:
            with self._bells.wait(task.session):
                await reading.accepted()
                if not reading.progress.turn:  # the session has ended, and so does the turn
                    await anyio.sleep_forever()
        await reading.accepted(follow=False)
        task.progress = reading.progress
        if not task.progress.turn:
            raise failure_in((task.outcome or {}).get("error") or {})

    async def _settle(self, task: Task, turn: Turn, live: Live) -> None:
        try:
            task.outcome = _outcome(await turn.settled())
        except Exception as error:  # noqa: BLE001 - whatever it is, the task has ended by it
            if not isinstance(error, KiroError):
                _LOG.exception("session %s: a turn failed", live.id)
            task.outcome = _outcome(failure(error))
        live.end_turn()
        self._known.remember(task)
        self._bells.ring(live.id)
        self._bells.changed(live.id)
        await self._look_again(live)
        self._bells.changed()

    async def _look_again(self, live: Live) -> None:
        """The first prompt gives a session its title, and any turn may change its agent and its engine."""
        try:
            info = await self._desk.info(SessionId(live.id))
        except KiroError as error:
            _LOG.debug("session %s: what became of it is not known: %s", live.id, error)
            return
        live.title, live.agent, live.engine = info.title, info.agent, info.engine


def _outcome(response: Frame) -> Mapping[str, Any]:
    """The outcome of a turn as its record has it."""
    if response.failed:
        return {"state": "failed", "error": response.error}
    reason = response.result.get("stopReason")
    return {"state": "cancelled" if reason == "cancelled" else "settled", "stopReason": reason}
