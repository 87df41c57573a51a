"""Clients that come to a session which somebody else opened, and clients that go."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kiro_core.errors import SessionBusy, SessionClosing
from kiro_core.frames import Frame
from kiro_core.ports import Client
from kiro_core.session.clients import CONTROLLER, Member
from kiro_core.session.replaying import replay
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session


class Guests:
    """The door of one session."""

    def __init__(self, session: Session) -> None:
        """Let nobody in yet."""
        self._session = session

    async def expected(self) -> None:
        """Wait until the session is open, for a client that did not ask for it.

        Raises:
            KiroError: it could not be opened.

        """
        await self._session.opened.wait()
        if not self._session.ready:
            raise self._session.unopened or SessionClosing("The session was closed before it was ready.")

    def join(self, client: Client, role: str) -> Member:
        """Let another client into a live session; what happens from now on is held for `Member.run`.

        Raises:
            SessionClosing: it is ending.

        """
        session = self._session
        if session.moving:
            raise SessionBusy("The session is being changed.", hint="Try again in a moment.")
        if not session.ready or session.turns is None or session.turns.ended or session.closing:
            raise SessionClosing("The session is being closed.", hint="Open it again in a moment.")
        return session.clients.join(client, role)

    def joined(self) -> Frame:
        """The answer for a client that joined: as the session is now, which may have changed since it was opened."""
        session = self._session
        if session.refusal is not None:
            return session.answer
        opened = {**session.answer.result, **session.options.native.told(), "configOptions": session.options.all()}
        return Frame.answer(replace(session.plan, loaded=True).answer(opened, model=session.metadata.info.model))

    async def bring_up(self, member: Member, after: int | None, *, replay: bool) -> None:
        """Show a client what it asks for before its answer: the conversation, or what is behind record `after`.

        With `after` and without `replay` it is shown that behind the answer.
        """
        if after is not None:
            member.begin_behind(after)
            if replay:
                await member.catch_up()
        elif replay:
            await self.replay(member)

    async def replay(self, member: Member) -> None:
        """Show a client the conversation as recorded so far; what comes later it is shown as a member."""
        session, head = self._session, self._session.clients.head
        member.shown_until(head)
        await replay(session.tools.store, session.plan.info.id, head, member.client, running=bool(session.running_turn))

    async def leave_or_close(self, client: Client) -> None:
        """Let a client go; the last controller that goes ends the session.

        Raises:
            SessionBusy: the client is not at it, and others are.

        """
        clients = self._session.clients
        others = [member for member in clients.controllers if member.client is not client]
        here = clients.of(client)
        if here is None and others:
            raise SessionBusy("Others work in the session.", hint="It ends when the last of them closes it.")
        if here is not None and (others or here.role != CONTROLLER):
            clients.leave(client)
            return
        self.dismiss("The session was closed.", but=here)
        await self._session.close()

    def dismiss(self, sentence: str, *, but: Member | None = None) -> None:
        """Tell everybody, but the one who wants it, why the session ends now."""
        for member in self._session.clients.members:
            if member is not but:
                member.put(0, [Notice("session_closed", sentence, severity="info")])
