"""The task of a session: it enters and leaves lease and log, process and wire, in that order.

In anyio a scope is left by the task that entered it; requests come in other tasks and sessions
outlive requests and clients, so each session has a task of its own. A session also outlives its
agent program: one that ends by itself is started again when it is needed.
"""

from __future__ import annotations

import logging
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import anyio

from kiro_core.errors import (
    Fenced,
    KiroError,
    unwrapped,
)
from kiro_core.frames import Frame
from kiro_core.ports import SessionDb
from kiro_core.rpc import failure
from kiro_core.session.launching import Launching
from kiro_core.session.session import Session
from kiro_core.session.succession import Succession
from kiro_core.session.trash import require_kept
from kiro_core.session.turn import cancelled
from kiro_core.session.turns import Turns

_LOG = logging.getLogger(__name__)


class Life:
    """One run of a session, from its lease to its end."""

    def __init__(self, session: Session) -> None:
        """Prepare; `run` does the work."""
        self._session = session
        self._limits = session.tools.limits
        self._launching = Launching(session)
        session.gone = self._launching.gone
        self._succession = Succession(session, self._launching)

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
        record = self._session.layers.record
        info = plan.info if record is None else replace(plan.info, title=record(plan.info.title))
        return tools.store.create(info, tools.contact)

    async def _own(self) -> None:
        session, tools = self._session, self._session.tools
        # Around the lease: already what is written first is as they let it.
        async with (
            tools.middlewares.entered(session.plan.info, self._limits.middleware_s, session.layering) as session.layers,
            self._held() as db,
        ):
            require_kept(db.info)  # it may have been pruned since it was looked up
            session.hold(db)
            session.begun_at = db.head
            await session.journal.event("opened", session.plan.effective())
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._watch_lease, db)
                    tasks.start_soon(session.storing.run)
                    tasks.start_soon(session.inbox.run)
                    session.resting.begin(tasks)
                    turns = Turns(tasks, session.exchange, self._ending, self._limits.max_queued_prompts)
                    session.turns = turns
                    try:
                        await self._succession.run()
                    finally:
                        # A prompt that is accepted now would keep the tasks, and so the session, from ending.
                        turns.end()
                        session.resting.end()
                        session.questions.cancel()
                        if session.ready:
                            with anyio.move_on_after(self._limits.close_s, shield=True):
                                await session.desk.ending(session)
                        await session.survivors.outlived()
                        tasks.cancel_scope.cancel()
            finally:
                with anyio.move_on_after(self._limits.close_s, shield=True):
                    await session.storing.close(str(session.failure or self._succession.reason))

    async def _watch_lease(self, db: SessionDb) -> None:
        await db.lost.wait()
        self._session.fail(Fenced("Another owner has taken the session over.", hint="Open it again to go on."))

    async def _ending(self) -> Frame:
        """The outcome of a turn that the session's end, or its agent's, cuts off."""
        session = self._session
        if session.failure is not None:
            return failure(session.failure)
        self._succession.cut_off_turn = True
        if session.closing:
            return cancelled()
        error = await self._launching.gone()
        await session.exchange.end_calls()
        return failure(error)
