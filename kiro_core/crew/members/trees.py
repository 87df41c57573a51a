"""Who is above and below whom at this desk, and who is at work there: the one place that all verbs look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import anyio

from kiro_core.crew.members.roster import Entry, Roster, roster_of
from kiro_core.types import SessionId

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.live import Live
    from kiro_core.crew.members.work import Work

MAIN = "main"
"""What the session at the top is called that has no name of its own."""


class Trees:
    """The rosters of the sessions that are, or were, open here, and the `works` that have not settled, by member.

    Sessions that are `parked` only wait for others, and take no place among those at work.
    `changed` is set, and made anew, whenever something about a member may be different; `news` is called then with
    the session at the top of its tree.
    """

    def __init__(self, ground: Ground, news: Callable[[SessionId], None]) -> None:
        """Know of nobody yet."""
        self.ground = ground
        self.works: dict[SessionId, Work] = {}
        self.parked: Counter[str] = Counter()
        self.changed: anyio.Event = anyio.Event()
        self._news = news
        self._rosters: dict[SessionId, Roster] = {}
        self._parents: dict[SessionId, SessionId] = {}

    def change(self, session: SessionId) -> None:
        """Something about a session is different."""
        self.changed.set()
        self.changed = anyio.Event()
        self._news(self.root(session))

    @contextmanager
    def parking(self, session: str) -> Iterator[None]:
        """While somebody waits in a session; an empty one is a person."""
        if not session:
            yield
            return
        self.parked[session] += 1
        self.change(SessionId(session))
        try:
            yield
        finally:
            self.parked[session] -= 1
            self.parked += Counter()  # only those that are left

    def roster(self, parent: Live) -> Roster:
        """That of an open session."""
        roster = self._rosters.get(parent.id)
        if roster is None:
            roster = roster_of(parent.info)
            for known in [each for each in roster.entries if each in self._parents or each in self.above(parent.id)]:
                del roster.entries[known]  # whoever wrote that has made a circle
            self._rosters[parent.id] = roster
            self._parents |= dict.fromkeys(roster.entries, parent.id)
        return roster

    def spawned(self, session: SessionId) -> list[SessionId]:
        """The members of a session, as far as they are known here."""
        roster = self._rosters.get(session)
        return [] if roster is None else list(roster.entries)

    def of(self, entry: Entry) -> Roster:
        """The roster in which an entry is."""
        return self._rosters[entry.parent]

    def add(self, roster: Roster, entry: Entry) -> None:
        """Another member."""
        roster.entries[entry.session] = entry
        self._parents[entry.session] = roster.parent

    def remove(self, entry: Entry) -> None:
        """One that is none after all."""
        self.of(entry).entries.pop(entry.session, None)
        self._parents.pop(entry.session, None)

    def entry(self, session: str) -> Entry | None:
        """A member."""
        parent = self._parents.get(SessionId(session))
        return None if parent is None else self._rosters[parent].entries[SessionId(session)]

    def parent(self, session: SessionId) -> SessionId:
        """Who is directly above a session; empty where nobody is, as far as is known here."""
        return self._parents.get(session) or next(iter(self.ground.above(session)), SessionId(""))

    def above(self, session: SessionId) -> list[SessionId]:
        """All above, the nearest first; each once, also where a record makes them a circle."""
        found: list[SessionId] = []
        while (session := self.parent(session)) and session not in found:
            found.append(session)
        return found

    def root(self, session: SessionId) -> SessionId:
        """The session at the top of its tree."""
        return next(reversed(self.above(session)), session)

    def depth(self, session: SessionId) -> int:
        """How many sessions are above one."""
        if self.ground.live(session) is not None:
            return self.ground.depth(session)
        parent = self._parents.get(session)
        return 0 if parent is None else self.depth(parent) + 1

    def below(self, session: SessionId) -> Iterator[Entry]:
        """All members below, each behind its parent."""
        for roster in [each for each in self._rosters.values() if each.parent == session]:
            for entry in list(roster.entries.values()):
                yield entry
                yield from self.below(entry.session)

    def tree(self, root: SessionId) -> list[Entry]:
        """All members of a tree, also those that the stages of its runs have spawned."""
        found = {entry.session: entry for entry in self.below(root)}
        for parent in list(self._rosters):
            if parent not in found and parent != root and self.root(parent) == root:
                found |= {entry.session: entry for entry in self.below(parent)}
        return list(found.values())

    def sessions(self, root: SessionId) -> list[SessionId]:
        """All sessions of a tree: the one at the top, its members, and the stages of its runs that are open."""
        lives = [live.id for live in self.ground.lives() if self.root(live.id) == root]
        return list(dict.fromkeys([root, *(entry.session for entry in self.tree(root)), *lives]))

    def groups(self, root: SessionId) -> list[str]:
        """The groups that somebody in a tree has made."""
        sessions = self.sessions(root)
        return [name for roster in self._rosters.values() if roster.parent in sessions for name in roster.groups]

    def roots(self) -> list[SessionId]:
        """The sessions at the top of all trees."""
        return list(dict.fromkeys(self.root(session) for session in [*self._rosters, *self._lives()]))

    def name(self, session: SessionId) -> str:
        """What a session is called in its tree; empty where it is not known here."""
        if (entry := self.entry(session)) is not None:
            return entry.kept.name
        live = self.ground.live(session)
        return "" if live is None else live.info.name or MAIN

    def reads(self, session: SessionId) -> bool:
        """Whether a session will read what it is told: a member that is done with its task for good does not."""
        entry, work = self.entry(session), self.works.get(session)
        return entry is None or entry.kept.persistent or (work is not None and not work.recorded.is_set())

    def ended(self, session: SessionId) -> None:
        """A session is not open any more; what nobody asks for is forgotten."""
        self.change(session)
        live = set(self._lives())
        gone = [
            each for each in self._rosters.values() if each.parent not in live and self.root(each.parent) not in live
        ]
        for roster in gone:
            if not self.works.keys() & roster.entries.keys():
                del self._rosters[roster.parent]
                for member in roster.entries:
                    self._parents.pop(member, None)

    def _lives(self) -> list[SessionId]:
        return [live.id for live in self.ground.lives()]
