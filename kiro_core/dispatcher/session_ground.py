"""The desk as its sessions see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from anyio import to_thread

from kiro_core.dispatcher.agreeing import agreed
from kiro_core.dispatcher.backends import Backends
from kiro_core.dispatcher.inheriting import ancestors
from kiro_core.dispatcher.room import make_room
from kiro_core.dispatcher.wakes import wake_elsewhere
from kiro_core.errors import SessionClosing
from kiro_core.ports import Client
from kiro_core.session import Plan, Session, Tools
from kiro_core.trust import Document
from kiro_core.types import SessionId

if TYPE_CHECKING:
    from kiro_core.dispatcher.desk import Dispatcher


class SessionGround:
    """Implements `kiro_core.session.changing.Surroundings`."""

    def __init__(self, desk: Dispatcher, backends: Backends) -> None:
        """Speak for a desk and its backends."""
        self._desk = desk
        self._backends = backends

    def taken(self, session: str) -> bool:
        """See `Surroundings.taken`."""
        return session in self._desk.live

    def session(self, name: str) -> Session | None:
        """See `Surroundings.session`."""
        return self._desk.live.get(SessionId(name))

    def ancestors(self, session: Session) -> Sequence[Session]:
        """The live sessions above one, the nearest first and each once: their triggers and clients are its own too."""
        return ancestors(session.plan.info, self.session)

    def occupied(self, session: Session) -> bool:
        """See `Surroundings.occupied`."""
        return self._desk.crew.ending.occupied(session.plan.info.id)

    async def ending(self, session: Session) -> None:
        """See `Surroundings.ending`."""
        await self._desk.crew.ending.ending(session.plan.info.id)

    def came(self, session: Session, client: Client) -> None:
        """See `Surroundings.came`."""
        self._desk.following.came(session, client)
        if (member := session.clients.of(client)) is not None:
            member.put(0, self._desk.crew.news.latest(session.plan.info.id))

    def went(self, session: Session, client: Client) -> None:
        """See `Surroundings.went`."""
        self._desk.following.went(session, client)

    def require_open(self) -> None:
        """See `Surroundings.require_open`."""
        if self._desk.reception.state == "draining":
            raise SessionClosing("The desk is ending and takes nothing new.", hint="Start it again.")

    async def wake(self, session: SessionId) -> None:
        """Tell whoever holds a session that its inbox may have something new: this desk, or one in another process.

        What this desk itself put into the inbox of one of its own sessions, that one knows. It returns within
        `limits.control_s` seconds, and what fails is logged: a message that is in the inbox is found there.
        """
        self._backends.store.wake(session)
        if session not in self._desk.live:
            await wake_elsewhere(self._backends.store, session, self._backends.settings.limits.control_s)

    async def make_room(self, session: Session) -> None:
        """See `Surroundings.make_room`."""
        await make_room(session, self._desk.live.values(), self._backends.settings.limits)

    async def untrusted(self, plan: Plan, agent: str) -> bool:
        """See `Surroundings.untrusted`."""
        return await self._desk.planner.untrusted(plan, agent)

    async def documents(self, plan: Plan, agent: str) -> Sequence[Document]:
        """See `Surroundings.documents`."""
        return await self._desk.planner.documents(plan, agent)

    async def trust(self, documents: Sequence[Document]) -> None:
        """See `Surroundings.trust`."""
        await to_thread.run_sync(agreed, self._desk.planner.preparing.trust, documents)

    async def changed(self, plan: Plan, *, agent: str = "", engine: str = "") -> tuple[Plan, Tools]:
        """See `Surroundings.changed`."""
        plan = await self._desk.planner.changed(plan, agent=agent, engine=engine)
        return plan, self._backends.tools(plan.engine)
