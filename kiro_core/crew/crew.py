"""What crews do at one desk: runs, and the members of sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

from anyio.abc import TaskGroup

from kiro_core.crew.ground import Ground
from kiro_core.crew.members import Members
from kiro_core.crew.running import Run
from kiro_core.crew.runs import Runs
from kiro_core.errors import KiroError
from kiro_core.ports import Client
from kiro_core.types import SessionId


class Crew(Runs, Members):
    """Implements `Crews`; the clients of a session see the stages of the runs for which it asked."""

    def __init__(self, ground: Ground, tasks: TaskGroup) -> None:
        """Have all that crews do in `tasks`."""
        Runs.__init__(self, ground, tasks)
        Members.__init__(self, ground, tasks, self._runs_below)
        self._asked: dict[SessionId, SessionId] = {}
        self._all = tasks

    async def run(self, crew: Mapping[str, Any], **given: Any) -> SessionId:
        """See `Crews.run`."""
        run = await super().run(crew, **given)
        await self._show(run)
        return run

    async def resume(
        self, run: SessionId, *, rerun: Sequence[str] = (), skip: Sequence[str] = (), client: Client | None = None
    ) -> None:
        """See `Crews.resume`."""
        await super().resume(run, rerun=rerun, skip=skip, client=client)
        await self._show(run)

    def leave(self) -> None:
        """The desk ends: nothing goes on."""
        self.driving.leave()
        self.ending.leave()

    async def _show(self, run: SessionId) -> None:
        if parent := (await self._ground.store.get(run)).parent:
            self._asked[run] = SessionId(parent)
            self._all.start_soon(self._shown, run, SessionId(parent))

    async def _shown(self, run: SessionId, parent: SessionId) -> None:
        try:
            async with aclosing(self.follow(run)) as views:
                async for _ in views:
                    self.news.changed(self.trees.root(parent))
        except KiroError:
            pass  # who follows the run is told, and it says so on its record
        finally:
            del self._asked[run]

    def _runs_below(self, root: SessionId) -> list[Run]:
        return [
            self.driving.live[run]
            for run, parent in self._asked.items()
            if run in self.driving.live and self.trees.root(parent) == root
        ]
