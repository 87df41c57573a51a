"""A session is watched by whoever is at a session above it: a person sees what the sessions below theirs do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from kiro_core.notices import ALONE, UNATTENDED
from kiro_core.ports import Client
from kiro_core.session import Member, Session
from kiro_core.types import SessionId


class Following:
    """Lets clients of one session into those below it, as observers, and out again.

    Who came to a session above follows from then on; who was there when a session began, from its beginning on. Nobody
    is let in again who has left a session by itself.
    """

    def __init__(
        self,
        live: Mapping[SessionId, Session],
        above: Callable[[Session], Iterable[Session]],
        show: Callable[[Member], None],
    ) -> None:
        """Of the `live` sessions of a desk: `above` gives those above one, `show` begins to show a member things."""
        self._live = live
        self._above = above
        self._show = show

    def began(self, session: Session) -> None:
        """Let in whoever is at a session above one that begins now."""
        for above in self._above(session):
            for member in list(above.clients.members):
                self._follow(session, member.client)

    def came(self, session: Session, client: Client) -> None:
        """A client came to a session."""
        for below in self._below(session):
            self._follow(below, client)

    def went(self, session: Session, client: Client) -> None:
        """A client left a session, and stays below it where it has another reason to."""
        for below in self._below(session):
            member = below.clients.of(client)
            if member is not None and member.follows and not self._is_above(below, client):
                below.clients.leave(client)

    def _follow(self, session: Session, client: Client) -> None:
        if not {ALONE, UNATTENDED}.isdisjoint(client.info.abilities) or session.ended.is_set():
            return
        if (member := session.clients.follow(client)) is not None:
            self._show(member)

    def _is_above(self, session: Session, client: Client) -> bool:
        return any(above.clients.of(client) is not None for above in self._above(session))

    def _below(self, session: Session) -> list[Session]:
        return [each for each in self._live.values() if each is not session and session in self._above(each)]
