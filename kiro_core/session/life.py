"""The task of a session: it enters and leaves lease and log, process and wire, in that order.

In anyio a scope is left by the task that entered it; requests come in other tasks and sessions
outlive requests and clients, so each session has a task of its own. A session also outlives its
agent program: one that ends by itself is started again when it is needed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import anyio

from kiro_core.errors import (
    AgentGone,
    AgentTimeout,
    AuthRequired,
    Disconnected,
    Fenced,
    KiroError,
    LaunchFailed,
    unwrapped,
)
from kiro_core.frames import Frame
from kiro_core.ports import SessionDb
from kiro_core.rpc import failure
from kiro_core.session.changing import Close, Move
from kiro_core.session.engaging import Engaging
from kiro_core.session.launching import Launching
from kiro_core.session.leftover import take_up
from kiro_core.session.resting import Sleep
from kiro_core.session.session import Session
from kiro_core.session.turn import cancelled
from kiro_core.session.turns import Turns
from kiro_core.session.waking import Wake
from kiro_core.types import Notice

_LOG = logging.getLogger(__name__)


class Life:
    """One run of a session, from its lease to its end."""

    def __init__(self, session: Session) -> None:
        """Prepare; `run` does the work."""
        self._session = session
        self._limits = session.tools.limits
        self._launching = Launching(session)
        session.gone = self._launching.gone
        self._engaging = Engaging(session, self._launching, self._serve)
        self._command: Any = None
        self._cut_off_turn = False
        self._reason = "closed"

    async def run(self) -> None:
        """Run until the session ends; never raises.

        `Session.opened` tells when it is ready or has failed to open; what fails later is recorded.
        """
        session = self._session
        try:
            with unwrapped(), session.scope:
                await self._own()
            session.unopened = session.failure
        except Exception as error:  # noqa: BLE001 - one session's failure, of whatever kind, ends no other
            session.unopened = error
            if session.ready:
                known = isinstance(error, KiroError)
                _LOG.log(logging.INFO if known else logging.ERROR, "%s ended: %s", self, error, exc_info=not known)
        finally:
            session.clients.end()
            session.post.close()
            session.mailbox.close()
            session.ended.set()
            session.opened.set()

    def __str__(self) -> str:
        """For the log."""
        return f"session {self._session.plan.info.id}"

    def _held(self) -> AbstractAsyncContextManager[SessionDb]:
        plan, tools = self._session.plan, self._session.tools
        if plan.loaded:
            return tools.store.open(plan.info.id, tools.contact)
        return tools.store.create(plan.info, tools.contact)

    async def _own(self) -> None:
        session = self._session
        async with self._held() as db:
            session.hold(db)
            session.begun_at = db.head
            await session.journal.event("opened", session.plan.effective())
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._watch_lease, db)
                    tasks.start_soon(session.storing.run)
                    tasks.start_soon(session.resting.run)
                    turns = Turns(tasks, session.exchange, self._ending, self._limits.max_queued_prompts)
                    session.turns = turns
                    try:
                        await self._converse()
                    finally:
                        # A prompt that is accepted now would keep the tasks, and so the session, from ending.
                        turns.end()
                        session.questions.cancel()
                        tasks.cancel_scope.cancel()
            finally:
                with anyio.move_on_after(self._limits.close_s, shield=True):
                    await session.storing.close(str(session.failure or self._reason))

    async def _watch_lease(self, db: SessionDb) -> None:
        await db.lost.wait()
        self._session.fail(Fenced("Another owner has taken the session over.", hint="Open it again to go on."))

    async def _converse(self) -> None:
        session = self._session
        if session.plan.loaded:
            session.plan = replace(session.plan, notices=[*session.plan.notices, *await take_up(session)])
        await self._replay()
        try:
            command = await self._open()
            while not isinstance(command, Close):
                command = await self._obeyed(command)
        except KiroError as error:
            self._reason = str(error)
            if session.ready or not session.plan.loaded or isinstance(error, AuthRequired):
                raise
            # A conversation that no agent can continue can still be read.
            session.refusal = error
            notice = Notice("not_resumed", f"The session can be read but not continued: {error}")
            answer = session.plan.answer({}, model=session.plan.info.model, refusesPrompts=str(error))
            await self._announce(answer, [*session.plan.notices, notice], None)
            await session.mailbox.receive()

    async def _replay(self) -> None:
        """Show the client its conversation, which needs no agent: one that ends meanwhile would have it shown again."""
        session = self._session
        for member in session.clients.members if session.plan.replay else ():
            try:
                await session.guests.replay(member)
            except Disconnected:
                session.clients.leave(member.client)

    async def _open(self) -> Any:
        if self._session.plan.refusal is not None:
            raise self._session.plan.refusal
        return await self._with_agent(None)

    async def _obeyed(self, command: Any) -> Any:
        """Do what a lifecycle command says, or wait for one; returns the next."""
        match command:
            case Move():
                return await self._moved(command)
            case Wake():
                return await self._woken(command)
            case _:
                return await self._session.mailbox.receive()

    async def _moved(self, move: Move) -> Any:
        """Go on with another agent program; when it cannot be had, the old one is back."""
        session = self._session
        before = session.plan, session.tools
        session.plan, session.tools = move.plan, move.tools
        try:
            return await self._with_agent(move)
        except KiroError as error:
            if move.done.is_set():
                raise
            move.error = error
        # What its opening had to tell was told.
        session.plan, session.tools = replace(before[0], notices=()), before[1]
        return await self._with_agent(move)

    async def _woken(self, wake: Wake) -> Any:
        """Start the agent program again, with what the session has become meanwhile."""
        session = self._session
        begun = session.plan.loaded or session.exchange.spoken
        info = replace(session.metadata.info, updated=session.plan.info.updated)
        plan = replace(session.plan, info=info, loaded=begun, replay=False, notices=())
        # The new process reads its files anew, and the folder may have others by now.
        prompted = plan.prompted or (plan.by_mode and await session.desk.withheld(plan, plan.config.name))
        session.plan = replace(plan, prompted=prompted)
        session.wants_login = ""
        try:
            await session.restarts.back_off()
            return await self._with_agent(wake)
        except KiroError as error:
            if wake.done.is_set():
                raise
            wake.error = error
            wake.done.set()
            if isinstance(error, AuthRequired):
                session.wants_login = plan.engine.name
            if isinstance(error, LaunchFailed | AgentGone | AgentTimeout):
                await self._count(error)
        return None

    async def _with_agent(self, asked: Move | Wake | None) -> Any:
        """Have an agent and serve; returns the command that ended it, None when the program ended by itself."""
        session = self._session
        self._command, self._cut_off_turn = None, False
        await self._engaging.engage(asked)
        if isinstance(self._command, Close | Move | Sleep) or session.closing or session.failure is not None:
            return self._command
        error = await self._launching.gone()
        await self._count(error)
        if not self._cut_off_turn and (session.turns is None or session.turns.running is None):
            await session.tell(Notice("agent_gone", f"{error} The next prompt starts it again."))
        return self._command

    async def _count(self, error: KiroError) -> None:
        """Count an end of the agent program; too many in a row end the session, which is told with the reason."""
        try:
            self._session.restarts.ended(error)
        except AgentGone as last:
            await self._session.tell(Notice("agent_given_up", str(last), severity="error"))
            raise

    async def _serve(self, answer: dict[str, Any], notices: Sequence[Notice], asked: Move | Wake | None) -> None:
        """Serve until a lifecycle command ends it; the block around it is left when the agent is gone."""
        session = self._session
        session.serving = self._launching.served = True
        try:
            await self._announce(answer, notices, asked)
            self._command = await session.mailbox.receive()
            while isinstance(self._command, Sleep) and not session.resting.may_sleep:
                self._command = await session.mailbox.receive()
            if session.turns is not None and isinstance(self._command, Close):
                await session.turns.close(self._limits.close_s / 4)
        finally:
            session.serving = False

    async def _announce(self, answer: dict[str, Any], notices: Sequence[Notice], asked: Move | Wake | None) -> None:
        session = self._session
        session.answer = Frame.answer(answer)
        session.ready = True
        session.opened.set()
        if isinstance(asked, Move):
            session.moving = False
            if asked.error is None:
                session.clients.untell()
        if asked is not None:
            asked.done.set()
        for notice in notices:
            await session.tell(notice)
        if isinstance(asked, Wake):
            await session.options.told_again()
        if session.serving:
            await session.options.told_unguarded()
        if session.tools.waiting_prompts == "resume" and session.turns is not None and session.serving:
            session.turns.send_waiting()

    async def _ending(self) -> Frame:
        """The outcome of a turn that the session's end, or its agent's, cuts off."""
        session = self._session
        if session.failure is not None:
            return failure(session.failure)
        self._cut_off_turn = True
        if session.closing:
            return cancelled()
        error = await self._launching.gone()
        await session.exchange.end_calls()
        return failure(error)
