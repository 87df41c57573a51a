"""The members at one desk: each verb in a line or two, and what a desk tells of its sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from anyio.abc import TaskGroup

from kiro_core.crew.listening import Listening
from kiro_core.crew.members.asked import Asked
from kiro_core.crew.members.commanding import Commanding
from kiro_core.crew.members.ending import Ending
from kiro_core.crew.members.finding import Finding
from kiro_core.crew.members.groups import Groups
from kiro_core.crew.members.mail import Mail
from kiro_core.crew.members.news import News
from kiro_core.crew.members.roster import Kept
from kiro_core.crew.members.rules import require_length, require_text
from kiro_core.crew.members.spawning import Spawning
from kiro_core.crew.members.trees import Trees
from kiro_core.crew.members.viewing import Viewing
from kiro_core.crew.members.waiting import Waiting
from kiro_core.crew.said import MOST_CHARACTERS
from kiro_core.types import Letter, Member, SessionId

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.running import Run
    from kiro_core.ports.members import Filter, GroupAction, Priority

_any = any
_ALL = ("blocked", "working", "idle", "terminated")


class Members:
    """Implements `ports.members.Members`."""

    def __init__(self, ground: Ground, tasks: TaskGroup, runs: Mapping[SessionId, Run]) -> None:
        """Have what members do in `tasks`; `runs` are those that the desk drives."""
        self.trees: Final = Trees(ground, self._changed)
        self.asked: Final = Asked(self.trees, runs)
        self.news: Final = News(ground, tasks, self._look, self.trees.root)
        self._viewing = Viewing(self.trees)
        self._finding = Finding(self.trees)
        self._mail = Mail(self.trees, self._finding, self.news)
        self._groups = Groups(self.trees, self._finding)
        self._waiting = Waiting(self.trees, self._finding)
        seat = ground.seat(Listening(None, self._viewing.heard, lambda _: None))
        self._spawning = Spawning(self.asked, self._finding, self.news, seat, tasks)
        self._commanding = Commanding(self.trees, self._finding, self._spawning)
        self.ending: Final = Ending(self.asked, tasks, self._forget)

    async def spawn(  # noqa: PLR0913 - as in the port
        self,
        by: str,
        task: str,
        *,
        name: str = "",
        agent: str = "",
        engine: str = "",
        role: str = "",
        group: str = "",
        persistent: bool = False,
        depends_on: Sequence[str] = (),
        model: str = "",
    ) -> Member:
        """See `Members.spawn`."""
        asked = Kept(SessionId(""), name, "", task, role, group, agent, engine, model, persistent)
        return self._viewing.member(await self._spawning.spawn(by, asked, depends_on))

    async def send(
        self,
        by: str,
        target: str,
        text: str,
        *,
        priority: Priority = "normal",
        id: str = "",  # noqa: A002 - as there
    ) -> Letter:
        """See `Members.send`."""
        return await self._mail.send(by, target, text, escalates=priority == "escalation", name=id)

    async def broadcast(self, by: str, group: str, text: str) -> Sequence[Letter]:
        """See `Members.broadcast`."""
        return await self._mail.broadcast(by, group, text)

    async def read(self, by: str, limit: int = 5) -> Sequence[Letter]:
        """See `Members.read`."""
        return await self._mail.read(by, limit)

    async def members(self, by: str, filter: Filter = "") -> Sequence[Member]:  # noqa: A002 - as there
        """See `Members.members`."""
        roots = [self.trees.root(self._finding.acting(by).id)] if by else self.trees.roots()
        members = [self._viewing.member(entry) for root in roots for entry in self.trees.tree(root)]
        members += [each for root in roots for each in self.asked.seen(root)]
        wanted = {"": ("blocked", "working", "idle"), "all": _ALL}.get(filter, (filter,))
        return [member for member in members if member.status in wanted]

    async def status(self, by: str, target: str) -> Member:
        """See `Members.status`."""
        entry = self._finding.member(by, target)
        await self._waiting.look_up([entry])
        return self._viewing.member(entry)

    async def interrupt(self, by: str, target: str, text: str) -> Member:
        """See `Members.interrupt`."""
        return self._viewing.member(await self._commanding.interrupt(by, target, text))

    async def inject(self, by: str, target: str, text: str) -> Letter:
        """See `Members.inject`."""
        return await self._mail.inject(by, target, text)

    async def group(
        self, by: str, action: GroupAction, name: str = "", target: str = "", role: str = ""
    ) -> Sequence[tuple[str, Sequence[Member]]]:
        """See `Members.group`."""
        if action == "create":
            await self._groups.create(by, name)
        elif action == "add":
            await self._groups.add(by, name, target, role)
        elif action == "remove":
            await self._groups.remove(by, name, target)
        return [(each, [*map(self._viewing.member, entries)]) for each, entries in self._groups.listed(by)]

    async def revive(self, by: str, target: str, task: str) -> Member:
        """See `Members.revive`."""
        return self._viewing.member(await self._spawning.revive(by, target, task))

    async def wait(
        self,
        by: str,
        targets: Sequence[str] = (),
        *,
        group: str = "",
        any: bool = False,  # noqa: A002 - as there
        timeout_s: float,
    ) -> Sequence[Member]:
        """See `Members.wait`."""
        entries = self._waiting.targets(by, targets, group)
        await self._waiting.wait(by, entries, _any if any else all, timeout_s)
        await self._waiting.read(by, entries)
        return [self._viewing.member(entry) for entry in entries]

    async def end(self, by: str, target: str) -> Member:
        """See `Members.end`."""
        return self._viewing.member(await self._commanding.end(by, target))

    async def summarise(self, by: str, result: str, *, task: str = "", context: str = "") -> None:
        """See `Members.summarise`."""
        require_length(task + context, MOST_CHARACTERS)
        data = {"text": require_text(result, MOST_CHARACTERS), "description": task, "context": context}
        await self._finding.acting(by).record("crew_summary", data)

    def may_spawn(self, by: str) -> bool:
        """See `Members.may_spawn`."""
        return self.trees.depth(SessionId(by)) < self.trees.ground.settings.crew.max_depth

    def describe(self, by: str) -> dict[str, Any]:
        """See `Members.describe`."""
        session = self._finding.acting(by).id
        entry, parent = self.trees.entry(session), self.trees.parent(session)
        return {
            "name": self.trees.name(session),
            "role": entry.kept.role if entry is not None else "",
            "group": entry.kept.group if entry is not None else "",
            "depth": self.trees.depth(session),
            "parent": self.trees.name(parent) if parent else "",
        }

    def _look(self, root: SessionId) -> tuple[list[Member], list[Run]]:
        members = [self._viewing.member(entry) for entry in self.trees.tree(root)]
        return members, self.asked.below(root)

    def _changed(self, root: SessionId) -> None:
        self.news.changed(root)
        self.asked.wake(root)

    def _forget(self, session: SessionId) -> None:
        self._viewing.forget(session)
        self._mail.rate.forget(session)
