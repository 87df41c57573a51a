"""The runs that sessions of a tree asked for: they are bounded together with its members, and end with who asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

from kiro_core.crew.members.rules import refused
from kiro_core.crew.members.staged import run_seen, stages_seen
from kiro_core.types import Member, SessionId

if TYPE_CHECKING:
    from kiro_core.crew.members.trees import Trees
    from kiro_core.crew.running import Run


class Asked:
    """The runs that this desk drives (`live`), as far as a session asked for them."""

    def __init__(self, trees: Trees, live: Mapping[SessionId, Run]) -> None:
        """Look there each time."""
        self.trees = trees
        self._live = live
        self._beginning: Counter[SessionId] = Counter()

    def of(self, session: str) -> list[Run]:
        """Those for which a session asked."""
        return [run for run in self._live.values() if run.parent == session != ""]

    def below(self, root: SessionId) -> list[Run]:
        """Those for which a session of a tree asked."""
        return [run for run in self._live.values() if run.parent and self.trees.root(SessionId(run.parent)) == root]

    def require_room(self, root: SessionId, more: int) -> None:
        """Make sure that a tree may have so many more, counting all its members and the stages of the runs that go on.

        Raises:
            CrewRefused: it may not ("members").

        """
        most = self.trees.ground.settings.crew.max_members
        stages = sum(len(run.stages) for run in self.below(root)) + self._beginning[root]
        if len(self.trees.tree(root)) + stages + more > most:
            raise refused(
                "members",
                f"Members, and stages of runs that go on, may be {most} in this crew (`crew.max_members`).",
                hint="Revive one that has done its task, or wait until a run has ended.",
            )

    @contextmanager
    def beginning(self, parent: str, stages: int) -> Iterator[None]:
        """While a run with so many stages begins for a session.

        Raises:
            CrewRefused: there is no room.

        """
        root = self.trees.root(SessionId(parent))
        if parent:
            self.require_room(root, stages)
        self._beginning[root] += stages
        try:
            yield
        finally:
            self._beginning[root] -= stages
            self._beginning += Counter()  # only those that are left

    def seen(self, root: SessionId) -> list[Member]:
        """Those of a tree, each before its stages."""
        told: list[Member] = []
        for run in self.below(root):
            place = run.info, run.keeping.past, run.view(), self.depth(run.parent)
            told += [run_seen(*place), *stages_seen(*place)]
        return told

    def depth(self, parent: str) -> int:
        """How deep a run is that a session asked for."""
        return self.trees.depth(SessionId(parent)) + 1

    def at_work(self, root: SessionId) -> int:
        """How many stages of a tree are at work, and do not only wait for others."""
        return sum(not self.trees.parked[session] for run in self.below(root) for session in run.at_work)

    def may_start(self, run: Run) -> bool:
        """Whether another stage may begin beside all that is at work in its tree; members who are in line go first."""
        if not run.parent:
            return True
        root = self.trees.root(SessionId(run.parent))
        works = [work for work in self.trees.works.values() if work.root == root and not work.is_over]
        ahead = sum(not work.parked if work.begun else not work.before() for work in works)
        return ahead + self.at_work(root) < self.trees.ground.settings.crew.max_parallel

    def wake(self, root: SessionId) -> None:
        """Have those of a tree look whether they may go on."""
        for run in self.below(root):
            run.look()

    def require_above(self, by: str, run: Member) -> None:
        """Make sure that a session may end a run.

        Raises:
            CrewRefused: neither it nor one below it has asked for that ("above").

        """
        if by and by != run.parent and by not in self.trees.above(run.parent):
            raise refused("above", f"Only who asked for the run {run.name} may end it, or a session above.")

    async def ended(self, runs: list[Run]) -> None:
        """Cancel them, and return when nobody drives them any more.

        Who does not wait any more leaves them as they are, to be resumed: one may wait for room for its report.
        """
        try:
            for run in runs:
                run.cancel()
            with anyio.move_on_after(self.trees.ground.settings.limits.control_s):
                for run in runs:
                    await run.over.wait()
        finally:
            for run in runs:
                run.scope.cancel()
