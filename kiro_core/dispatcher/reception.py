"""What a desk says and does for other processes of its user: they reach it at its socket."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import TYPE_CHECKING, Any

from kiro_core.dispatcher.digests import digests
from kiro_core.errors import KiroError, SessionBusy, SessionNotFound
from kiro_core.journal import utc_now
from kiro_core.ports import Agent, ByteStream, Client
from kiro_core.session import Session
from kiro_core.settings import Settings
from kiro_core.types import Record, SessionId, SessionInfo
from kiro_core.version import __version__

if TYPE_CHECKING:
    from kiro_core.dispatcher.desk import Dispatcher


class Reception:
    """Implements `Front`; `state` is "starting", "ready" or "draining".

    `settings` are the digests of the desk's, `operated` what whoever runs it adds to its status, `unready` why
    clients cannot come to it now.
    """

    def __init__(self, desk: Dispatcher, settings: Settings, face: str, *, served: bool) -> None:
        """Speak for a desk with that face; `served` tells that its sessions are there for every other process."""
        self.state = "starting" if served else "ready"
        self.settings: Mapping[str, str] = digests(settings)
        self.operated: Callable[[], Mapping[str, Any]] = dict
        self.unready: Callable[[], str] = str
        self.face = face
        self.served = served
        self._desk = desk
        self._since = utc_now()

    def hello(self) -> Mapping[str, Any]:
        """See `Front.hello`."""
        return {
            "version": __version__,
            "pid": os.getpid(),
            "face": self.face,
            "served": self.served,
            "state": self.state,
            "since": self._since,
            "settings": self.settings,
        }

    def status(self) -> Mapping[str, Any]:
        """See `Front.status`."""
        sessions = [_standing(session) for session in self._desk.live.values()]
        agents = sum(not session["asleep"] for session in sessions)
        return {**self.hello(), "agents": agents, "sessions": sessions, **self.operated()}

    def admit(self, client: Client) -> AbstractAsyncContextManager[Agent]:
        """See `Front.admit`."""
        return self._desk.admit(client)

    def enter(self, token: str, stream: ByteStream) -> bool:
        """See `Front.enter`."""
        return self._desk.crew_tools.enter(token, stream)

    def takes(self, session: SessionId) -> bool:
        """See `Front.takes`."""
        return self.served or session in self._desk.live

    async def let_go(self, session: SessionId, *, force: bool = False) -> None:
        """See `Front.let_go`."""
        self._desk.crew.driving.require_at_rest(session)
        live = self._desk.live.get(session)
        if live is None:
            raise SessionNotFound(f"The session {session} is not open there.", session_id=session)
        standing = _standing(live)
        if not force and (standing["turn"] or standing["waiting"] or standing["clients"]):
            at_work = standing["turn"] or standing["waiting"]
            reason = "a turn of it runs there" if at_work else "somebody has it open there"
            raise SessionBusy(f"The session {session} is not let go of: {reason}.", hint="Close it there, or insist.")
        live.guests.dismiss("The session was taken over by another process.")
        with suppress(KiroError):
            owner = {"pid": os.getpid(), "face": self.face, "since": self._since}
            await live.journal.event("taken_over", {"owner": owner, "let_go": True})
        await live.close()

    def follow(self, session: SessionId, after: int = 0) -> AsyncGenerator[Sequence[Record], None]:
        """See `Front.follow`."""
        return self._desk.watching.here(session, after)

    def wake(self, session: SessionId) -> None:
        """See `Front.wake`."""
        if (live := self._desk.live.get(session)) is not None:
            live.tools.store.wake(session)

    async def relabel(
        self,
        session: SessionId,
        *,
        title: str | None = None,
        name: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> SessionInfo:
        """See `Desk.relabel`."""
        return await self._desk.relabel(session, title=title, name=name, tags=tags)

    async def delete(self, session: SessionId) -> None:
        """See `Desk.delete`."""
        await self._desk.delete(session)


def _standing(session: Session) -> dict[str, Any]:
    turns = session.turns
    running = turns is not None and turns.running is not None
    return {
        "sessionId": session.plan.info.id,
        "agent": session.plan.config.name,
        "engine": session.plan.engine.name,
        "clients": sum(not member.follows for member in session.clients.members),
        "turn": running,
        "waiting": max(len(turns.open) - running, 0) if turns is not None else 0,
        "asleep": session.ready and not session.serving,
        "endingFailed": session.survivors.lasts,
    }
