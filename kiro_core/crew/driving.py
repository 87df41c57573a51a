"""The runs that a desk drives: each in a task of its own, which holds its record from its beginning to its end."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup, TaskStatus

from kiro_core.errors import Held

if TYPE_CHECKING:
    from kiro_core.crew.running import Run
    from kiro_core.ports import SessionDb
    from kiro_core.types import SessionId

    Holding = AbstractAsyncContextManager[SessionDb]
    Beginning = Callable[[SessionDb], Awaitable[Run]]

_LOG = logging.getLogger(__name__)


class Driving:
    """The `live` runs by their ids."""

    def __init__(self, tasks: TaskGroup) -> None:
        """Drive runs in `tasks`."""
        self.live: dict[SessionId, Run] = {}
        self._tasks = tasks

    async def start(self, holding: Holding, begin: Beginning) -> None:
        """Hold a record, and drive the run that `begin` makes of it; returns when that is on record.

        Raises:
            KiroError: it cannot be held, or does not begin.

        """
        await self._tasks.start(self._own, holding, begin)

    def require_at_rest(self, session: SessionId) -> None:
        """Make sure that a session is no run that this desk drives.

        Raises:
            Held: it is.

        """
        if session in self.live:
            raise Held(f"The run {session} goes on here.", hint="Cancel it first.", session=session)

    def leave(self) -> None:
        """Drive nothing any more, and wait for nothing; each run can be resumed."""
        for run in self.live.values():
            run.scope.cancel()

    async def _own(
        self, holding: Holding, begin: Beginning, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        run: Run | None = None
        try:
            async with holding as db:
                run = self.live[db.info.id] = await begin(db)
                task_status.started()
                await run.drive()
        except Exception as error:
            if run is None:
                raise
            _LOG.warning("run %s: its record could not be let go: %s", run.id, error)
        finally:
            # Behind the lease: who saw it end may take it up again at once.
            if run is not None:
                del self.live[run.id]
                run.leave()
