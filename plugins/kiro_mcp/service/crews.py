"""Runs of crews for hosts: begun, looked at and cancelled; each is on a record of its own and outlives this server."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import aclosing
from pathlib import Path
from typing import Any

import anyio

from kiro_core.errors import CrewInvalid, SessionNotFound
from kiro_core.types import RUN, RunView, SessionId
from kiro_mcp.service.access import Access
from kiro_mcp.service.failing import ToolFailure, in_our_words
from kiro_mcp.service.folders import folder
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.questions import Questions
from kiro_mcp.service.run_views import RunState, state_of


class Crews:
    """The runs that hosts have begun; of one that this server does not know any more every host may know the id."""

    def __init__(self, ground: Ground, access: Access, questions: Questions) -> None:
        """Run nothing yet."""
        self._desk = ground.desk
        self._options = ground.options
        self._access = access
        self._bells = ground.bells
        self._questions = questions
        self._begun: dict[str, tuple[Host, str]] = {}

    async def run(
        self, host: Host, crew: Mapping[str, Any], *, session_id: str = "", cwd: str = "", engine: str = ""
    ) -> SessionId:
        """Run a crew (the fields of a crew file); its id, once it is on record.

        With `session_id` below an open session: in its folder, bound by what binds it, and what a stage asks is asked
        as a question of that one. Without it nobody is asked, and the answer is no.

        Raises:
            ToolFailure: INVALID_CONFIG, the crew or its folder; SESSION_NOT_FOUND, SESSION_INACTIVE.

        """
        parent = await self._access.usable(host, session_id) if session_id else None
        work = Path(parent.cwd) if parent is not None and not cwd else folder(self._options, cwd)
        with in_our_words():
            run = await self._desk.crew.run(crew, cwd=work, engine=engine, parent=parent.id if parent else "")
        self._begun[run] = host, parent.id if parent else ""
        return run

    async def look(self, host: Host, run: str, after: str = "", wait_s: float = 0.0) -> RunState:
        """How a run stands; waits `wait_s` seconds until that is not `after` any more, without it until it is done.

        A question that the host has to answer ends the wait.

        Raises:
            ToolFailure: SESSION_NOT_FOUND.

        """
        session = await self._known(host, run)
        until = anyio.current_time() + wait_s
        with in_our_words():
            state = self._state(await self._view(session))
            while not state.interrupts(after) and anyio.current_time() < until:
                with self._bells.wait(self._parent(run) or run, until):
                    await self._changed(session, after)
                state = self._state(await self._view(session))
            return state.with_report(await self._desk.crew.report(session)) if state.is_done else state

    async def cancel(self, host: Host, run: str) -> bool:
        """Have a run end; False when it had ended. It settles a moment later.

        Raises:
            ToolFailure: SESSION_NOT_FOUND; SESSION_BUSY, another process drives it.

        """
        session = await self._known(host, run)
        with in_our_words():
            if self._state(await self._view(session)).is_done:
                return False
            try:
                await self._desk.crew.cancel(session)
            except CrewInvalid:
                return False  # it has ended since
        return True

    def leave(self, host: Host) -> None:
        """A connection is gone; its runs go on."""
        self._begun = {run: known for run, known in self._begun.items() if known[0] is not host}

    async def _known(self, host: Host, run: str) -> SessionId:
        known = self._begun.get(run)
        if known is None or known[0] is host or self._options.sessions == "all":
            with in_our_words():
                try:
                    info = await self._desk.info(SessionId(run))
                except SessionNotFound as error:
                    raise _not_found(run) from error
            if info.kind == RUN and not info.trashed:
                return info.id
        raise _not_found(run)

    async def _view(self, run: SessionId) -> RunView:
        async with aclosing(self._desk.crew.follow(run)) as views:
            async for view in views:
                return view
        raise _not_found(run)

    async def _changed(self, run: SessionId, after: str) -> None:
        """Wait until it stands otherwise; what is asked rings a bell."""
        async with aclosing(self._desk.crew.follow(run)) as views:
            async for view in views:
                if self._state(view).interrupts(after):
                    return

    def _parent(self, run: str) -> str:
        return self._begun[run][1] if run in self._begun else ""

    def _state(self, view: RunView) -> RunState:
        parent = self._parent(view.run)
        question = self._questions.of(parent) if parent else None
        return state_of(view, None if question is None or question.person_only else question)


def _not_found(run: str) -> ToolFailure:
    return ToolFailure(
        "SESSION_NOT_FOUND",
        f"There is no run {run}.",
        hint="kiro_crew_run returns the id of a run.",
        details={"run": run},
    )
