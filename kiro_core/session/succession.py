"""What becomes of a session's agent: one after the other, as lifecycle commands and the programs' own ends have it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kiro_core.errors import AgentGone, AgentTimeout, AuthRequired, Disconnected, KiroError, LaunchFailed
from kiro_core.frames import Frame
from kiro_core.session.changing import Close, Move
from kiro_core.session.engaging import Engaging
from kiro_core.session.launching import Launching
from kiro_core.session.leftover import take_up
from kiro_core.session.plan import Plan
from kiro_core.session.resting import Sleep
from kiro_core.session.waking import Wake
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session


class Succession:
    """The agents of one session; `cut_off_turn` tells that a turn ended with the last, `reason` why the session did."""

    def __init__(self, session: Session, launching: Launching) -> None:
        """Have none yet."""
        self.cut_off_turn: bool = False
        self.reason: str = "closed"
        self._session = session
        self._launching = launching
        self._engaging = Engaging(session, launching, self._serve)
        self._command: Any = None

    async def run(self) -> None:
        """Have agents until a command closes the session; one that none can go on with can still be read.

        Raises:
            KiroError: the first one could not be had.

        """
        session = self._session
        if session.plan.loaded:
            session.plan = replace(session.plan, notices=[*session.plan.notices, *await take_up(session)])
        await self._replay()
        try:
            command = await self._open()
        except KiroError as error:
            self.reason = str(error)
            asked = session.plan.instead_of  # for one that somebody wants now, none that can only be read stands in
            if session.ready or not session.plan.loaded or asked or isinstance(error, AuthRequired):
                raise
            await self._only_read(error)
            command = None
        try:
            while not isinstance(command, Close):
                command = await self._obeyed(command)
        except KiroError as error:
            self.reason = str(error)
            raise

    async def _only_read(self, error: KiroError) -> None:
        """Open a conversation that its agent program cannot go on with; another one may."""
        session = self._session
        session.refusal = error
        notice = Notice("not_resumed", f"The session can be read but not continued: {error}")
        answer = session.plan.answer({}, model=session.plan.info.model, refusesPrompts=str(error))
        await self._announce(answer, [*session.plan.notices, notice], None)

    async def _replay(self) -> None:
        """Show the client its conversation, which needs no agent: one that ends meanwhile would have it shown again."""
        session = self._session
        for member in [each for each in session.clients.members if session.plan.replay and not each.follows]:
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
        plan, tools, refusal = session.plan, session.tools, session.refusal
        told = session.front.preface, session.front.conversation
        session.plan, session.tools, session.refusal = move.plan, move.tools, None
        try:
            return await self._with_agent(move)
        except KiroError as error:
            if move.done.is_set():
                raise
            move.error = error
        session.plan, session.tools, session.refusal = self._again(plan), tools, refusal
        session.front.preface, session.front.conversation = told
        if refusal is not None:
            move.done.set()
            return None
        try:
            return await self._with_agent(move)
        except KiroError as error:
            if move.done.is_set():
                raise
            move.done.set()
            await session.tell(Notice("agent_gone", f"{error} The next prompt starts it again."))
        return None

    def _again(self, plan: Plan) -> Plan:
        """The same for another start of its agent program, with what the session has become meanwhile."""
        session = self._session
        info = replace(session.metadata.info, updated=plan.info.updated)
        begun = plan.loaded or session.exchange.spoken
        return replace(plan, info=info, loaded=begun, replay=False, notices=(), instead_of="")

    async def _woken(self, wake: Wake) -> Any:
        """Start the agent program again, with what the session has become meanwhile."""
        session = self._session
        plan = self._again(session.plan)
        # The new process reads its files anew, and the folder may have others by now.
        prompted = plan.prompted or (plan.by_mode and await session.desk.untrusted(plan, plan.config.name))
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
        self._command, self.cut_off_turn = None, False
        await self._engaging.engage(asked)
        if isinstance(self._command, Close | Move | Sleep) or session.closing or session.failure is not None:
            return self._command
        error = await self._launching.gone()
        await self._count(error)
        if not self.cut_off_turn and (session.turns is None or session.turns.running is None):
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
            while not self._ends(self._command):
                self._command = await session.mailbox.receive()
            if session.turns is not None and isinstance(self._command, Close):
                await session.turns.close(self._session.tools.limits.close_s / 4)
        finally:
            session.serving = False

    def _ends(self, command: Any) -> bool:
        """Whether a command ends this agent program; who wants it started is answered, since it is."""
        if isinstance(command, Wake):
            command.done.set()
            return False
        return not isinstance(command, Sleep) or self._session.resting.may_sleep

    async def _announce(self, answer: dict[str, Any], notices: Sequence[Notice], asked: Move | Wake | None) -> None:
        session = self._session
        session.answer = Frame.answer(answer)
        session.ready = True
        session.opened.set()
        session.resting.stir()
        if isinstance(asked, Move) and asked.error is None:
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
