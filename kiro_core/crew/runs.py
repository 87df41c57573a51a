"""The runs of a desk: each is begun or taken up under the lease of its record, so that two desks never drive one."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractContextManager, aclosing, nullcontext
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

import anyio
from anyio.abc import TaskGroup

from kiro_core.crew.driving import Driving
from kiro_core.journal import utc_now
from kiro_core.types import RUN, RunView, SessionId, SessionInfo, SessionQuery, Usage

if TYPE_CHECKING:
    from kiro_core.crew.driving import Beginning
    from kiro_core.crew.events import Choice
    from kiro_core.crew.fitting import Known
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.record import Past
    from kiro_core.crew.running import Run
    from kiro_core.crew.stages import Crew as CrewOfStages
    from kiro_core.ports import Client, SessionDb

_TITLE = 150


class Runs:
    """Implements `Crews`."""

    def __init__(self, ground: Ground, tasks: TaskGroup) -> None:
        """Drive runs in `tasks`."""
        self.driving: Final = Driving(tasks)
        self._ground = ground

    async def run(  # noqa: PLR0913 - what a run is asked for, all by name
        self,
        crew: Mapping[str, Any],
        *,
        task: str = "",
        cwd: Path,
        roots: Sequence[str] = (),
        engine: str = "",
        parent: str = "",
        client: Client | None = None,
        hops: int = 0,
    ) -> SessionId:
        """See `Crews.run`."""
        from kiro_core.crew.clock import Clock
        from kiro_core.crew.document import load_crew
        from kiro_core.crew.record import Past
        from kiro_core.crew.refusing import refused, require_folders
        from kiro_core.crew.running import Run
        from kiro_core.crew.schedule import Schedule

        self._ground.require_open()
        require_folders([str(cwd), *roots])
        given = {"max_parallel": self._ground.settings.crew.max_parallel, **crew, **({"task": task} if task else {})}
        loaded = load_crew(given, known=await self.known(cwd, engine))
        if loaded.crew is None:
            raise refused(loaded.problems)
        if parent:
            await self._ground.store.get(SessionId(parent))
        now, title = utc_now(), loaded.crew.name[:_TITLE]
        id_ = SessionId(str(uuid4()))
        info = SessionInfo(id_, str(cwd), now, now, title=title, parent=parent, roots=tuple(roots), kind=RUN)
        past = Past(Schedule(self._bounded(loaded.crew, parent), Clock().now()), engine, hops=hops)

        async def begin(db: SessionDb) -> Run:
            run = Run(self._ground, db, past, client, self._may_start)
            await run.keeping.begin()
            return run

        with self._beginning(parent, len(loaded.crew.stages)):
            await self.driving.start(self._ground.store.create(info, self._ground.contact), begin)
        return info.id

    async def known(self, cwd: Path, engine: str = "") -> Known:
        """See `Ground.known`."""
        return await self._ground.known(cwd, engine)

    async def resume(
        self, run: SessionId, *, rerun: Sequence[str] = (), skip: Sequence[str] = (), client: Client | None = None
    ) -> None:
        """See `Crews.resume`."""
        from kiro_core.crew.resuming import chosen

        choices = chosen(rerun, skip)
        self._ground.require_open()
        await self._take_up(run, partial(self._continued, run, choices, client))

    async def cancel(self, run: SessionId) -> None:
        """See `Crews.cancel`."""
        if (live := self.driving.live.get(run)) is not None:
            live.cancel()
            return

        async def cancelled(db: SessionDb) -> Run:
            taken = await self._continued(run, {}, None, db)
            taken.cancel()
            return taken

        await self._take_up(run, cancelled)

    async def follow(self, run: SessionId, by: str = "") -> AsyncGenerator[RunView, None]:  # noqa: ARG002 - as there
        """See `Crews.follow`."""
        from kiro_core.crew.viewing import view_of

        live = self.driving.live.get(run)
        if live is None:
            driven = await self._is_driven(run)
            yield view_of(await self._past(run), run, driven=driven)
            return
        while True:
            changed, is_over = live.keeping.standing.changed, live.over.is_set()
            yield live.view()
            if is_over:
                break
            await changed.wait()
        if live.failure is not None:
            raise live.failure

    async def report(self, run: SessionId) -> Mapping[str, Any]:
        """See `Crews.report`."""
        from kiro_core.crew.reporting import report

        driven = await self._is_driven(run)  # before its record is read: one that ends meanwhile has ended
        past = await self._past(run)
        return report(past.schedule, run, past.children, driven=driven).to_json()

    async def deliver(self, run: SessionId) -> None:
        """See `Crews.deliver`."""
        from kiro_core.crew.delivering import deliver
        from kiro_core.crew.keeping import Keeping
        from kiro_core.crew.reporting import report

        if (live := self.driving.live.get(run)) is not None:
            if await live.keeping.deliver():
                return
            await live.over.wait()
        info, past = await self._ground.store.get(run), await self._past(run)
        if past.is_over:
            await deliver(self._ground, info, report(past.schedule, run, past.children).to_json(), past.hops)
        else:
            async with self._ground.store.open(run, self._ground.contact) as db:
                await Keeping(self._ground, db, past, lambda _: None).deliver()

    async def usage(self, session: SessionId) -> Usage:
        """See `Crews.usage`."""
        from kiro_core.crew.rolling import used_below

        return await used_below(self._ground.store, session)

    async def runs(self, cwd: str = "", limit: int = 50) -> Sequence[SessionInfo]:
        """See `Crews.runs`."""
        from kiro_core.crew.rolling import listed

        found: list[SessionInfo] = []
        async with aclosing(listed(self._ground.store, SessionQuery(cwd))) as infos:
            async for info in infos:
                if info.kind == RUN:
                    found.append(info)
                    if len(found) == limit:
                        break
        return found

    async def _is_driven(self, run: SessionId) -> bool:
        return run in self.driving.live or bool(await self._ground.store.holder(run))

    def _bounded(self, crew: CrewOfStages, parent: str) -> CrewOfStages:
        """What a session asks for has no more stages at a time than the setting allows."""
        most = min(crew.max_parallel, self._ground.settings.crew.max_parallel) if parent else crew.max_parallel
        return crew.model_copy(update={"max_parallel": most})

    def _beginning(self, parent: str, stages: int) -> AbstractContextManager[None]:  # noqa: ARG002 - for who bounds it
        """Hold the room for a run that begins."""
        return nullcontext()

    def _may_start(self, run: Run) -> bool:  # noqa: ARG002 - the same
        """Whether another stage may begin now."""
        return True

    async def _past(self, run: SessionId) -> Past:
        from kiro_core.crew.record import past_of
        from kiro_core.crew.refusing import of_kind

        of_kind(await self._ground.store.get(run))
        return await past_of(self._ground.store.read(run), run)

    async def _take_up(self, run: SessionId, begin: Beginning) -> None:
        from kiro_core.crew.refusing import of_kind, resumable

        info = of_kind(await self._ground.store.get(run))
        self._ground.require_kept(info)
        resumable(info)
        with anyio.move_on_after(self._ground.settings.limits.control_s):
            await self._ground.sweep()
        await self.driving.start(self._ground.store.open(run, self._ground.contact), begin)

    async def _continued(
        self, run: SessionId, choices: Mapping[str, Choice], client: Client | None, db: SessionDb
    ) -> Run:
        from kiro_core.crew.record import past_of
        from kiro_core.crew.refusing import resumable
        from kiro_core.crew.resuming import taken_up
        from kiro_core.crew.running import Run

        self._ground.require_kept(db.info)  # it may have been pruned since it was looked up
        past = await past_of(self._ground.store.read(run), run)
        resumable(db.info, past)
        taken = Run(self._ground, db, past, client, self._may_start)
        policy = self._ground.settings.crew.unknown_stages
        async with aclosing(taken_up(past, self._ground, choices, policy, taken.clock.now())) as events:
            async for event in events:
                await taken.keeping.tell(event)
        return taken
