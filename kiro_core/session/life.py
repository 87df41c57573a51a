"""The task of a session: it enters and leaves lease and log, process and wire, in that order.

In anyio a scope is left by the task that entered it; requests come in other tasks and sessions
outlive requests and clients, so each session has a task of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

import anyio

from kiro_core.errors import AuthRequired, Disconnected, Fenced, KiroError, unwrapped
from kiro_core.frames import Frame
from kiro_core.ports import SessionDb
from kiro_core.rpc import failure
from kiro_core.session.changing import Move
from kiro_core.session.launching import Launching
from kiro_core.session.opening import Opening
from kiro_core.session.services import opened_services
from kiro_core.session.session import Session
from kiro_core.session.turns import Turns, cancelled
from kiro_core.types import Notice

_LOG = logging.getLogger(__name__)


class Life:
    """One run of a session, from its lease to its end."""

    def __init__(self, session: Session) -> None:
        """Prepare; `run` does the work."""
        self._session = session
        self._limits = session.tools.limits
        self._launching = Launching(session)
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
            session.post.close()
            session.mailbox.close()
            session.ended.set()
            session.opened.set()

    def __str__(self) -> str:
        """For the log."""
        return f"session {self._session.plan.info.id}"

    def _held(self) -> AbstractAsyncContextManager[SessionDb]:
        plan, store = self._session.plan, self._session.tools.store
        return store.open(plan.info.id) if plan.loaded else store.create(plan.info)

    async def _own(self) -> None:
        session = self._session
        async with self._held() as db:
            session.hold(db)
            await session.journal.event("opened", session.plan.effective())
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._watch_lease, db)
                    await self._converse()
                    tasks.cancel_scope.cancel()
            finally:
                with anyio.move_on_after(self._limits.close_s, shield=True):
                    await self._close_record()

    async def _watch_lease(self, db: SessionDb) -> None:
        await db.lost.wait()
        self._session.fail(Fenced("Another owner has taken the session over.", hint="Open it again to go on."))

    async def _close_record(self) -> None:
        session = self._session
        try:
            await session.journal.settled("closed", {"reason": str(session.failure or self._reason)})
            await session.metadata.note()
        except KiroError as error:
            _LOG.warning("%s: its end could not be recorded: %s", self, error)

    async def _converse(self) -> None:
        session = self._session
        try:
            move = await self._with_agent()
            while move is not None:
                move = await self._moved(move)
        except KiroError as error:
            self._reason = str(error)
            if session.ready or not session.plan.loaded or isinstance(error, AuthRequired):
                raise
            # A conversation that no agent can continue can still be read.
            session.refusal = error
            notice = Notice("not_resumed", f"The session can be read but not continued: {error}")
            answer = session.plan.answer({}, model=session.plan.info.model, refusesPrompts=str(error))
            await self._serve(answer, [*session.plan.notices, notice])

    async def _moved(self, move: Move) -> Move | None:
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

    async def _with_agent(self, move: Move | None = None) -> Move | None:
        session = self._session
        if session.plan.refusal is not None:
            raise session.plan.refusal
        session.turns = None
        until = anyio.current_time() + self._limits.start_s
        command = None  # an agent that hangs up ends the block, and nothing is asked of it any more
        async with opened_services(session) as session.services, self._launching.launched() as agent:
            session.agent = agent
            opening = Opening(agent, session.plan, session.outlet.told, self._limits, until)
            session.begin_agent(opening.mcp_servers, opening.native)
            told = await self._opened(opening)
            session.plan = opening.plan
            if not session.plan.by_mode:
                session.exchange.prepare()
            answer = {**told, "configOptions": session.options.all()}
            model = session.options.native.model or session.plan.info.model
            await session.note(agent_session=session.agent_session, model=model, **self._planned())
            await session.mcp.settled(self._limits.mcp_start_s)
            notices = [*session.plan.notices, *opening.notices, *session.mcp.notices]
            command = await self._serve(session.plan.answer(answer, model=model), notices, move)
        if isinstance(command, Move):
            return command
        if not session.closing and session.failure is None:
            raise await self._launching.gone()
        return None

    def _planned(self) -> dict[str, Any]:
        info = self._session.plan.info
        names = ("cwd", "roots", "agent", "engine", "config_digest")
        return {name: getattr(info, name) for name in names}

    async def _opened(self, opening: Opening) -> dict[str, Any]:
        session = self._session
        if not session.plan.loaded:
            session.agent_session = ""
            answer = await opening.begin()
            session.agent_session = answer["sessionId"]
            return answer
        # Until the first prompt: some agents answer first and send their history then.
        session.listener.loading = True
        return await opening.resume()

    async def _serve(self, answer: dict[str, Any], notices: Sequence[Notice], move: Move | None = None) -> Any:
        """Serve until a lifecycle command ends it, which is returned; None when the agent is gone."""
        session = self._session
        async with anyio.create_task_group() as tasks:
            turns = Turns(tasks, session.exchange, self._ending, self._limits.max_queued_prompts)
            session.turns = turns
            try:
                await self._announce(answer, notices, move)
                command = await session.mailbox.receive()
                await turns.close(self._limits.close_s / 4)
                return command
            finally:
                # A prompt that is accepted now would keep the tasks, and so the session, from ending.
                turns.end()
                session.questions.cancel()
                tasks.cancel_scope.cancel()
        return None

    async def _announce(self, answer: dict[str, Any], notices: Sequence[Notice], move: Move | None) -> None:
        session = self._session
        client = session.outlet.client
        if session.plan.replay and client is not None:
            try:
                await session.replay(client)
            except Disconnected:
                session.outlet.leave(client)
        session.answer = Frame.answer(answer)
        session.ready, session.moving = True, False
        session.opened.set()
        if move is not None:
            if move.error is None:
                session.outlet.untell()
            move.done.set()
        for notice in notices:
            await session.tell(notice)
        await session.options.told_unguarded()

    async def _ending(self) -> Frame:
        """The outcome of a turn that the session's end cuts off."""
        session = self._session
        if session.failure is not None:
            return failure(session.failure)
        return cancelled() if session.closing else failure(await self._launching.gone())
