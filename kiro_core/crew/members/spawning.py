"""Give tasks to members: to new ones, and to those that have done theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import anyio
from anyio.abc import TaskGroup
from msgspec import structs

from kiro_core.agentconfig import BUILT_IN
from kiro_core.crew.members import results
from kiro_core.crew.members.doing import Doing, Place
from kiro_core.crew.members.names import checked, free_name, line, require_free
from kiro_core.crew.members.roster import Entry, Kept, Roster
from kiro_core.crew.members.rules import refused, require_hops, require_text
from kiro_core.crew.members.work import Work
from kiro_core.errors import AgentNotFound, KiroError
from kiro_core.explain import near_miss
from kiro_core.journal import utc_now
from kiro_core.types import SessionId

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.live import Live, Seat
    from kiro_core.crew.members.asked import Asked
    from kiro_core.crew.members.finding import Finding
    from kiro_core.crew.members.news import News

_SHORT = 8


class Spawning:
    """The verbs `spawn` and `revive`; see `ports.Members`."""

    def __init__(self, asked: Asked, finding: Finding, news: News, seat: Seat, tasks: TaskGroup) -> None:
        """Have the works in `tasks`."""
        self._trees = asked.trees
        self._finding = finding
        self._news = news
        self._asked = asked
        self._seat = seat
        self._tasks = tasks

    @property
    def _ground(self) -> Ground:
        return self._trees.ground

    async def spawn(self, by: str, asked: Kept, depends_on: Sequence[str]) -> Entry:
        """A new member, which is on record; `asked` lacks what it is to be called, and for whom it waits."""
        self._ground.require_open()
        parent = self._finding.acting(by)
        require_text(asked.task)
        for text, what in (
            (asked.role, "a role"),
            (asked.agent, "the name of an agent"),
            (asked.engine, "the name of an engine"),
            (asked.model, "a model"),
        ):
            line(text, what)
        await self._require_known(parent, asked)
        # From here to its entry nothing waits, so that two spawns at a time cannot get the same name.
        parent, roster = self._finding.acting(by), self._trees.roster(parent)
        self._require_room(parent)
        hops = require_hops(parent.inbox.hops) - 1
        self._name(parent, asked)
        asked.depends_on = tuple(self._before(by, each) for each in depends_on)
        entry = Entry(asked, parent.id, active=asked.created)
        self._trees.add(roster, entry)
        work = self._work(parent, entry, hops)
        await self._begin(work, roster, lambda: self._trees.remove(entry))
        return entry

    async def revive(self, by: str, target: str, task: str) -> Entry:
        """See `Members.revive`."""
        self._ground.require_open()
        require_text(task)
        entry = self._finding.below(by, target)
        self._require_settled(entry)
        hops = require_hops(self._finding.acting(by).inbox.hops) - 1 if by else 0
        parent = self._ground.live(entry.parent)
        if parent is None or not parent.ready:
            raise refused("terminated", "The session above it is not open.", hint="Open that one first.")
        before = replace(entry)
        entry.kept = structs.replace(entry.kept, outcome="", task=task, tasks=entry.kept.tasks + 1, depends_on=())
        entry.outcome, entry.result = "", None

        def undo() -> None:
            entry.kept, entry.outcome, entry.result = before.kept, before.outcome, before.result

        await self._begin(self._work(parent, entry, hops), self._trees.of(entry), undo)
        return entry

    async def _begin(self, work: Work, roster: Roster, undo: Callable[[], None]) -> None:
        """Put it on record, and begin; whoever wants no answer any more has given the task all the same."""
        entry = work.entry
        with anyio.CancelScope(shield=True):
            try:
                await results.keep(self._ground, roster)
            except BaseException:
                del self._trees.works[entry.session]
                work.over.set()
                undo()
                with suppress(KiroError):  # it is written with the next change, and is not to say then that this began
                    await results.keep(self._ground, roster)
                raise
            self._tasks.start_soon(work.run)
        self._news.activity(entry.parent, "spawned", entry.kept.name, entry.kept.task)
        self._trees.change(entry.session)

    def _work(self, parent: Live, entry: Entry, hops: int) -> Work:
        info, root = parent.info, self._trees.root(entry.session)
        engine = entry.kept.engine
        if not engine and entry.kept.agent not in self._ground.settings.agent_engines:
            engine = info.engine
        name = f"{root[:_SHORT]}/{entry.kept.name}"
        place = Place(info.cwd, info.roots, engine, name, self._trees.name(parent.id), hops)
        work = Work(self._asked, entry, Doing(self._ground, self._seat, entry, place))
        self._trees.works.pop(entry.session, None)
        self._trees.works[entry.session] = work
        return work

    async def _require_known(self, parent: Live, asked: Kept) -> None:
        known = await self._ground.known(Path(parent.info.cwd), asked.engine)
        engine = asked.engine or parent.info.engine
        names = {BUILT_IN.name, *(known.agents or ())}
        if asked.agent and known.agents is not None and asked.agent not in names and engine not in known.native:
            raise AgentNotFound(
                f"There is no agent configuration {asked.agent!r}{near_miss(asked.agent, names)}",
                hint="`kiro-core agents list` shows those that there are.",
            )

    def _require_room(self, parent: Live) -> None:
        settings = self._ground.settings.crew
        if self._trees.depth(parent.id) >= settings.max_depth:
            raise refused(
                "depth",
                f"Members are {settings.max_depth} deep at most, and this session is at that depth.",
                hint="Do it yourself, or tell it to the session above.",
            )
        self._asked.require_room(self._trees.root(parent.id), 1)

    def _name(self, parent: Live, asked: Kept) -> None:
        taken = [self._trees.name(session) for session in self._trees.sessions(self._trees.root(parent.id))]
        asked.name = require_free(checked(asked.name), taken) if asked.name else free_name(taken)
        asked.group = checked(asked.group) if asked.group else ""
        asked.session, asked.created = SessionId(str(uuid4())), utc_now()

    def _before(self, by: str, target: str) -> SessionId:
        """A member that comes before another one of the same parent; none that waits for what it spawns itself."""
        entry = self._finding.member(by, target)
        if entry.session == by or entry.session in self._trees.above(SessionId(by)):
            raise refused("above", f"{entry.kept.name!r} is above it, and would wait for it.", hint="Leave it out.")
        return entry.session

    def _require_settled(self, entry: Entry) -> None:
        """A task has settled, and the parent was told, which could not learn of it any more behind the next."""
        work = self._trees.works.get(entry.session)
        if not entry.outcome or (work is not None and not work.is_over):
            raise refused("working", f"{entry.kept.name!r} has not done its task yet.", hint="Wait, or interrupt it.")
        if not entry.kept.outcome:
            raise refused(
                "working", f"What {entry.kept.name!r} came to is not told yet.", hint="Read your messages first."
            )
