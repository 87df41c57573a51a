"""What crews do at one desk: runs, and the members of sessions."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, suppress
from typing import TYPE_CHECKING, Any, Final

from anyio.abc import TaskGroup

from kiro_core.crew.members import Members
from kiro_core.crew.members.names import is_id
from kiro_core.crew.members.rules import refused
from kiro_core.crew.members.staged import run_seen
from kiro_core.crew.owed import Owed
from kiro_core.crew.runs import Runs
from kiro_core.errors import CrewRefused, KiroError, SessionNotFound
from kiro_core.types import Member, RunView, SessionId, SessionInfo

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.running import Run
    from kiro_core.ports import Client


class Crew(Runs, Members):
    """Implements `Crews`; what a session asked for belongs to its tree, and its clients see the stages."""

    def __init__(self, ground: Ground, tasks: TaskGroup) -> None:
        """Have all that crews do in `tasks`."""
        Runs.__init__(self, ground, tasks)
        Members.__init__(self, ground, tasks, self.driving.live)
        self.owed: Final = Owed(ground, self.trees, self)
        self._all = tasks

    async def run(self, crew: Mapping[str, Any], *, parent: str = "", **given: Any) -> SessionId:
        """See `Crews.run`."""
        was_open = self._ground.live(parent) is not None
        run = await super().run(crew, parent=parent, **given)
        if was_open:
            try:
                await self.owed.begun(parent, run)
            except KiroError:
                self.driving.live[run].cancel()
                raise
            self.ending.begun(run, parent)
        await self._show(run)
        return run

    async def resume(
        self, run: SessionId, *, rerun: Sequence[str] = (), skip: Sequence[str] = (), client: Client | None = None
    ) -> None:
        """See `Crews.resume`."""
        await super().resume(run, rerun=rerun, skip=skip, client=client)
        await self._show(run)

    async def follow(self, run: SessionId, by: str = "") -> AsyncGenerator[RunView, None]:
        """See `Crews.follow`."""
        with self.trees.parking(by):
            async with aclosing(super().follow(run)) as views:
                async for view in views:
                    yield view

    async def status(self, by: str, target: str) -> Member:
        """See `Members.status`."""
        try:
            return await super().status(by, target)
        except CrewRefused as error:
            _require_unknown(error)
            told = [each for each in await self.members(by, "all") if target in (each.name, each.session)]
            found = told[0] if told else await self._ended(by, target)
            if found is None:
                raise
            return found

    async def end(self, by: str, target: str) -> Member:
        """See `Members.end`."""
        try:
            return await super().end(by, target)
        except CrewRefused as error:
            _require_unknown(error)
            found = await self.status(by, target)
            if found.session in self.driving.live:
                self.asked.require_above(by, found)
                await self.asked.ended([self.driving.live[found.session]])
                found = await self._ended(by, found.session) or found
            elif found.parent in self.driving.live:
                raise refused("unknown", f"{found.name} is a stage.", hint="End its run.") from error
            return found

    async def opening(self, info: SessionInfo) -> None:
        """A session that is on record is about to be opened."""
        await self.ending.opening(info)
        await self.owed.opening(info)

    def opened(self, session: SessionId) -> None:
        """A session was opened."""
        self.ending.opened(session)
        self._all.start_soon(self.owed.opened, session)

    def leave(self) -> None:
        """The desk ends: nothing goes on."""
        self.driving.leave()
        self.ending.leave()

    def _beginning(self, parent: str, stages: int) -> AbstractContextManager[None]:
        return self.asked.beginning(parent, stages)

    def _may_start(self, run: Run) -> bool:
        return self.asked.may_start(run)

    async def _ended(self, by: str, target: str) -> Member | None:
        """A run for which a session of the tree has asked, as it is on record."""
        from kiro_core.crew.viewing import view_of

        if not is_id(target):
            return None
        with suppress(SessionNotFound):
            info, past = await self._ground.store.get(SessionId(target)), await self._past(SessionId(target))
            if info.parent and (not by or self.trees.root(SessionId(info.parent)) == self.trees.root(SessionId(by))):
                return run_seen(info, past, view_of(past, info.id), self.asked.depth(info.parent))
        return None

    async def _show(self, run: SessionId) -> None:
        if parent := (await self._ground.store.get(run)).parent:
            self._all.start_soon(self._shown, run, SessionId(parent))

    async def _shown(self, run: SessionId, parent: SessionId) -> None:
        try:
            async with aclosing(self.follow(run)) as views:
                async for _ in views:
                    self._changed_below(parent)
        except KiroError:
            pass  # who follows the run is told, and it says so on its record
        finally:
            self._changed_below(parent)
        await self.owed.ended(parent, run)

    def _changed_below(self, parent: SessionId) -> None:
        self.trees.change(parent)
        if (live := self._ground.live(parent)) is not None:
            live.stir()


def _require_unknown(error: CrewRefused) -> None:
    if error.details["rule"] != "unknown":
        raise error
