"""Which session is meant by a name, and who may do what to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.crew.members.rules import refused
from kiro_core.errors import SessionNotFound
from kiro_core.explain import near_miss
from kiro_core.types import SessionId

if TYPE_CHECKING:
    from kiro_core.crew.live import Live
    from kiro_core.crew.members.roster import Entry
    from kiro_core.crew.members.trees import Trees

_SHORTEST = 4


class Finding:
    """Looks among the sessions of the tree of whoever acts; a person (`by` is empty) may mean any that is open here."""

    def __init__(self, trees: Trees) -> None:
        """Look there."""
        self._trees = trees

    def acting(self, by: str) -> Live:
        """The session that acts.

        Raises:
            SessionNotFound: it is not open here.

        """
        live = self._trees.ground.live(by) if by else None
        if live is None or not live.ready:
            raise SessionNotFound(f"No session {by} is open here.", hint="Load it first.", session=by)
        return live

    def session(self, by: str, target: str) -> SessionId:
        """The session of that name, of that id, or of an id that begins so.

        Raises:
            CrewRefused: there is none, or there are several ("unknown").
            SessionNotFound: see `acting`.

        """
        sessions = self._known(by)
        names = {session: self._trees.name(session) for session in sessions}
        found = [session for session in sessions if names[session] == target]
        found = found or [session for session in sessions if session == target]
        if not found and len(target) >= _SHORTEST:
            found = [session for session in sessions if session.startswith(target)]
        if len(found) == 1:
            return found[0]
        if found:
            raise refused("unknown", f"Several sessions are called {target!r}.", hint="Name one by its id.")
        near = near_miss(target, filter(None, names.values()))
        raise refused("unknown", f"No session of the crew is called {target!r}{near}", hint="List them first.")

    def member(self, by: str, target: str) -> Entry:
        """The same for one that another session has spawned."""
        session = self.session(by, target)
        if (entry := self._trees.entry(session)) is None:
            raise refused("unknown", f"The session {target!r} is no member: nobody spawned it.", hint="Name another.")
        return entry

    def below(self, by: str, target: str) -> Entry:
        """The same for one that is below whoever acts.

        Raises:
            CrewRefused: it is not ("self", "above").

        """
        entry = self.member(by, target)
        if by == entry.session:
            raise refused("self", "A session cannot do that to itself.", hint="End the turn instead.")
        if by and by not in self._trees.above(entry.session):
            name = entry.kept.name
            raise refused("above", f"Only a session above {name!r} may do that to it.", hint="Send it a letter.")
        return entry

    def reader(self, by: str, target: str) -> SessionId:
        """The session to which a letter may go.

        Raises:
            CrewRefused: the rules forbid it ("self", "stranger"), or nobody would read it ("terminated", "blocked").

        """
        session = self.session(by, target)
        self.require_known(by, session)
        self.require_reading(session)
        return session

    def require_known(self, by: str, to: SessionId) -> None:
        """Make sure that one may speak to the other: parent and child may, and those of a group."""
        trees = self._trees
        if by == to:
            raise refused("self", "A session does not write to itself.", hint="Name another one.")
        mine, theirs = trees.entry(by), trees.entry(to)
        is_near = to == trees.parent(SessionId(by)) or by == trees.parent(to) if by else True
        is_grouped = mine is not None and theirs is not None and mine.kept.group == theirs.kept.group != ""
        if not (is_near or is_grouped):
            raise refused(
                "stranger",
                f"{trees.name(to)!r} is neither parent nor child, and in no group with this session.",
                hint="Have a session above both of you put you into a group.",
            )

    def require_reading(self, to: SessionId) -> None:
        """Make sure that a session is open, or will be."""
        if self._trees.ground.live(to) is not None:
            return
        work, name = self._trees.works.get(to), self._trees.name(to)
        if work is not None and not work.is_over:
            raise refused("blocked", f"{name!r} has not begun yet.", hint="Write again when it works.")
        raise refused("terminated", f"{name or to!r} is not open any more.", hint="Revive it with another task.")

    def _known(self, by: str) -> list[SessionId]:
        trees = self._trees
        if by:
            return trees.sessions(trees.root(self.acting(by).id))
        return [session for root in trees.roots() for session in trees.sessions(root)]
