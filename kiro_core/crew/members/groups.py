"""Groups of a tree: whose members may all speak to each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kiro_core.crew.members import results
from kiro_core.crew.members.names import checked, line
from kiro_core.crew.members.rules import refused

if TYPE_CHECKING:
    from kiro_core.crew.members.finding import Finding
    from kiro_core.crew.members.roster import Entry
    from kiro_core.crew.members.trees import Trees


class Groups:
    """The verb `group`; see `ports.Members`. A member is in one group at a time, as its entry says."""

    def __init__(self, trees: Trees, finding: Finding) -> None:
        """Work on those trees."""
        self._trees = trees
        self._finding = finding

    def listed(self, by: str) -> Sequence[tuple[str, Sequence[Entry]]]:
        """All groups, with who is in each."""
        roots = [self._trees.root(self._finding.acting(by).id)] if by else self._trees.roots()
        members = [entry for root in roots for entry in self._trees.tree(root)]
        made = [name for root in roots for name in self._trees.groups(root)]
        names = dict.fromkeys([*made, *(entry.kept.group for entry in members if entry.kept.group)])
        return [(name, [each for each in members if each.kept.group == name]) for name in names]

    async def create(self, by: str, name: str) -> None:
        """Make one with nobody in it; one that is there already stays as it is."""
        name, live = checked(name), self._finding.acting(by)
        roster = self._trees.roster(live)
        if name in [each for each, _ in self.listed(by)]:
            return
        roster.groups.append(name)
        await results.keep(self._trees.ground, roster)

    async def add(self, by: str, name: str, target: str, role: str) -> None:
        """Have a member join, which leaves the group in which it was."""
        entry = self._own(by, target)
        entry.kept.group, role = checked(name), line(role, "a role")
        entry.kept.role = role or entry.kept.role
        await self._keep(entry)

    async def remove(self, by: str, name: str, target: str) -> None:
        """Have a member leave."""
        entry = self._own(by, target)
        if entry.kept.group != name:
            raise refused("unknown", f"{entry.kept.name!r} is not in a group {name!r}.", hint="List the groups first.")
        entry.kept.group = ""
        await self._keep(entry)

    def _own(self, by: str, target: str) -> Entry:
        """A member that is below, or the one that acts."""
        entry = self._finding.member(by, target or by)
        return entry if entry.session == by else self._finding.below(by, target)

    async def _keep(self, entry: Entry) -> None:
        self._trees.change(entry.session)
        await results.keep(self._trees.ground, self._trees.of(entry))
