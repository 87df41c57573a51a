"""Wait for members without taking the place of those for whom one waits."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import anyio

from kiro_core.crew.members import results
from kiro_core.crew.members.rules import refused

if TYPE_CHECKING:
    from kiro_core.crew.members.finding import Finding
    from kiro_core.crew.members.roster import Entry
    from kiro_core.crew.members.trees import Trees


class Waiting:
    """The verb `wait`; see `ports.Members`."""

    def __init__(self, trees: Trees, finding: Finding) -> None:
        """Wait for nobody yet."""
        self._trees = trees
        self._finding = finding

    def targets(self, by: str, targets: Sequence[str], group: str) -> list[Entry]:
        """Those for whom to wait.

        Raises:
            CrewRefused: there is nobody ("empty"), or one waits for this session ("self", "above").

        """
        entries = [self._finding.member(by, target) for target in targets]
        if group:
            roots = [self._trees.root(self._finding.acting(by).id)] if by else self._trees.roots()
            grouped = [each for root in roots for each in self._trees.tree(root) if each.kept.group == group]
            entries += [each for each in grouped if each.session != by]
        elif not targets and by:
            entries = list(self._trees.roster(self._finding.acting(by)).entries.values())
        if not entries:
            raise refused("empty", "There is nobody to wait for.", hint="Spawn somebody first, or name them.")
        for entry in entries:
            if by and (entry.session == by or entry.session in self._trees.above(self._finding.acting(by).id)):
                rule = "self" if entry.session == by else "above"
                raise refused(rule, f"{entry.kept.name!r} cannot settle before this one.", hint="Name another.")
        return list({entry.session: entry for entry in entries}.values())

    async def wait(self, by: str, entries: Sequence[Entry], enough: Callable[[Sequence[bool]], bool], s: float) -> None:
        """Return when enough of them have settled, or after so many seconds."""
        if math.isnan(s) or s < 0:
            raise refused("length", "The time to wait is a number of seconds.", hint="Name one that is not negative.")
        with self._trees.parking(by), anyio.move_on_after(s):
            while not enough([self.is_settled(entry) for entry in entries]):
                await self._trees.changed.wait()

    def is_settled(self, entry: Entry) -> bool:
        """Whether it has an outcome, and its parent has been told as far as that can be."""
        work = self._trees.works.get(entry.session)
        return work.is_over if work is not None else bool(entry.outcome)

    async def look_up(self, entries: Sequence[Entry]) -> None:
        """Look up what came of those that have settled, where that was before their parent was opened."""
        for entry in entries:
            if self.is_settled(entry) and entry.result is None:
                entry.result = (await results.looked_up(self._trees.ground, entry)).text

    async def read(self, by: str, entries: Sequence[Entry]) -> None:
        """Look up what came of those that have settled, and count what tells `by` of it as read."""
        await self.look_up(entries)
        told = {entry.letter for entry in entries if self.is_settled(entry) and entry.parent == by}
        live = self._trees.ground.live(by) if by else None
        if live is not None and told & {letter.id for letter in live.inbox.unread}:
            await live.inbox.read(only=told)
