"""The task of a session: it enters and leaves lease and log, process and wire, in that order.

In anyio a scope is left by the task that entered it; requests come in other tasks and sessions
outlive requests and clients, so each session has a task of its own.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import anyio

from kiro_core.errors import AgentGone, AgentTimeout, Disconnected, Fenced, KiroError, LaunchFailed, unwrapped
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Process, SessionDb
from kiro_core.rpc import failure
from kiro_core.session.opening import Opening
from kiro_core.session.session import Session
from kiro_core.session.turns import Turns, cancelled
from kiro_core.types import Notice

_LOG = logging.getLogger(__name__)
_LAST_WORDS_S = 1.0


class Life:
    """One run of a session, from its lease to its end."""

    def __init__(self, session: Session) -> None:
        """Prepare; `run` does the work."""
        self._session = session
        self._limits = session.tools.limits
        self._process: Process | None = None
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
            await session.note()
        except KiroError as error:
            _LOG.warning("%s: its end could not be recorded: %s", self, error)

    async def _converse(self) -> None:
        session = self._session
        try:
            await self._with_agent()
        except KiroError as error:
            self._reason = str(error)
            if session.ready or not session.plan.loaded:
                raise
            # A conversation that no agent can continue can still be read.
            session.refusal = error
            notice = Notice("not_resumed", f"The session can be read but not continued: {error}")
            answer = session.plan.answer({}, model=session.plan.info.model, refusesPrompts=str(error))
            await self._serve(answer, [*session.plan.notices, notice])

    async def _with_agent(self) -> None:
        session = self._session
        if session.plan.refusal is not None:
            raise session.plan.refusal
        until = anyio.current_time() + self._limits.start_s
        async with self._launched() as agent:
            session.agent = agent
            opening = Opening(agent, session.plan, self._limits, until)
            answer = await self._opened(opening)
            await session.note(agent_session=session.agent_session, model=opening.model, **self._planned())
            await session.mcp.settled(self._limits.mcp_start_s)
            notices = [*session.plan.notices, *opening.notices, *session.mcp.notices]
            await self._serve(session.plan.answer(answer, model=opening.model), notices)
        if not session.closing and session.failure is None:
            raise await self._gone()

    def _planned(self) -> dict[str, str]:
        info = self._session.plan.info
        return {"cwd": info.cwd, "agent": info.agent, "config_digest": info.config_digest}

    async def _opened(self, opening: Opening) -> dict[str, Any]:
        session = self._session
        if not session.plan.loaded:
            answer = await opening.begin()
            session.agent_session = answer["sessionId"]
            return answer
        session.loading = True
        try:
            return await opening.resume()
        finally:
            session.loading = False

    @asynccontextmanager
    async def _launched(self) -> AsyncIterator[Agent]:
        session = self._session
        try:
            # Backends may hold task groups, which wrap what passes through them.
            with unwrapped():
                async with (
                    session.tools.launcher.launch(session.plan.command) as self._process,
                    session.tools.wire.connect(self._process, session, self._limits.start_s) as agent,
                ):
                    await session.journal.event("process_begun", self._begun(agent))
                    yield agent
        except Disconnected as error:
            raise await self._gone() from error
        except AgentTimeout as error:
            error.details["stderr"], hint = self._last_words()
            error.hint = f"{error.hint} {hint}".strip()
            raise
        finally:
            with anyio.move_on_after(self._limits.close_s, shield=True):
                await self._record_end()

    def _begun(self, agent: Agent) -> dict[str, str]:
        identity = self._process.identity if self._process is not None else ""
        return {"process": identity, "name": agent.info.name, "version": agent.info.version}

    async def _record_end(self) -> None:
        if self._process is None:
            return
        ended = {"status": str(self._process.exit or "unknown"), "stderr": self._process.stderr_tail()}
        try:
            await self._session.journal.event("process_ended", ended)
        except KiroError as error:
            _LOG.warning("%s: its process's end is not recorded: %s", self, error)

    async def _serve(self, answer: dict[str, Any], notices: list[Notice]) -> None:
        session = self._session
        async with anyio.create_task_group() as tasks:
            turns = Turns(tasks, session, self._ending, self._limits.max_queued_prompts)
            session.turns = turns
            try:
                await self._announce(answer, notices)
                await session.mailbox.receive()
                await turns.close(self._limits.close_s / 4)
            finally:
                # A prompt that is accepted now would keep the tasks, and so the session, from ending.
                turns.end()
                tasks.cancel_scope.cancel()

    async def _announce(self, answer: dict[str, Any], notices: list[Notice]) -> None:
        session = self._session
        client = session.outlet.client
        if session.plan.replay and client is not None:
            try:
                await session.replay(client)
            except Disconnected:
                session.outlet.leave(client)
        session.answer = Frame.answer(answer)
        session.ready = True
        session.opened.set()
        for notice in notices:
            await session.tell(notice)

    async def _ending(self) -> Frame:
        """The outcome of a turn that the session's end cuts off."""
        session = self._session
        if session.failure is not None:
            return failure(session.failure)
        return cancelled() if session.closing else failure(await self._gone())

    async def _gone(self) -> KiroError:
        session, process = self._session, self._process
        program = f"The agent program {session.plan.program!r} of the engine '{session.plan.engine.name}'"
        if process is None:
            return LaunchFailed(f"{program} did not start.")
        with anyio.move_on_after(_LAST_WORDS_S, shield=True):
            await process.wait()
        status = "closed its output" if process.exit is None else f"ended with {process.exit}"
        words, hint = self._last_words()
        details = {"command": session.plan.program, "status": str(process.exit or "unknown"), "stderr": words}
        if session.ready:
            return AgentGone(f"{program} {status}.", hint=hint, **details)
        return LaunchFailed(f"{program} {status} before it was ready.", hint=hint, **details)

    def _last_words(self) -> tuple[str, str]:
        """The end of its stderr, and a hint that quotes the line which says most."""
        words = self._process.stderr_tail().strip() if self._process is not None else ""
        return words, f"Its last words: {_telling(words)}" if words else "It wrote nothing to stderr."


def _telling(words: str) -> str:
    """The line that says most: the last one about an error, since some programs end with their version."""
    lines = words.splitlines()
    return next((line for line in reversed(lines) if "error" in line.lower()), lines[-1]).strip()
