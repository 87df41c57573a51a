"""Which tasks there are: one by its id, those that are not finished, and where it is asked for those that are."""

from __future__ import annotations

from collections.abc import Sequence

from kiro_core.types import SessionId
from kiro_mcp.service.access import Access
from kiro_mcp.service.failing import ToolFailure, in_our_words
from kiro_mcp.service.finding import found, recorded
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.known import Known, Task
from kiro_mcp.service.looking import Looking
from kiro_mcp.service.reading import NONE
from kiro_mcp.service.views import TaskView

_NEWEST = 100


class Listing:
    """Finds the tasks of sessions; what an earlier run of this server began is found in their records."""

    def __init__(self, ground: Ground, access: Access, known: Known, looking: Looking) -> None:
        """Find those that are `known`, and those on record."""
        self._desk = ground.desk
        self._table = ground.table
        self._access = access
        self._known = known
        self._looking = looking

    async def one(self, host: Host, task_id: str) -> Task:
        """A task that the host sees.

        Raises:
            ToolFailure: SESSION_NOT_FOUND, there is none.

        """
        task = self._known.get(task_id)
        session, _, key = task_id.rpartition(":")
        if task is None and session and key:
            with in_our_words():
                task = await found(self._desk, await self._access.readable(host, session), key)
            if task is not None:
                self._known.remember(task)
        if task is None or not self._table.sees(host, task.session):
            hint = "kiro_task_list tells which there are."
            raise ToolFailure(
                "SESSION_NOT_FOUND", f"There is no task {task_id}.", hint=hint, details={"task_id": task_id}
            )
        return task

    async def tasks(self, sessions: Sequence[SessionId], *, include_done: bool) -> Sequence[TaskView]:
        """See `Tasks.listed`.

        Raises:
            ToolFailure: a record cannot be read.

        """
        tasks: dict[str, Task] = {}
        for session in sessions:
            tasks |= {task.id: task for task in await self._recorded(session, include_done=include_done)}
        tasks |= {task.id: task for task in self._known.unfinished.values() if task.session in sessions}
        with in_our_words():
            views = [await self._looking.look(task, NONE) for task in tasks.values()]
        views.sort(key=lambda view: view.created_at)
        done = [view for view in views if view.is_done][-_NEWEST:] if include_done else []
        return sorted([*done, *(view for view in views if not view.is_done)], key=lambda view: view.created_at)

    async def _recorded(self, session: SessionId, *, include_done: bool) -> Sequence[Task]:
        """The tasks that its record has; of the unfinished ones of another run it is remembered which they are."""
        live = self._table.lives.get(session)
        if live is not None and live.earlier is not None and not include_done:
            live.earlier = [task for task in live.earlier if not task.progress.ended]
            return live.earlier
        with in_our_words():
            found = [self._known.get(task.id) or task for task in await recorded(self._desk, session, _NEWEST)]
        if live is not None and live.earlier is None:
            live.earlier = [task for task in found if task.turn is None and not task.progress.ended]
        return found
