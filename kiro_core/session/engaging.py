"""Have an agent for a session: started, opened by whichever way works, and brought to the session's configuration."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread

from kiro_core.errors import AgentTimeout, LaunchFailed
from kiro_core.recovery import Ladder, free_engine_lock, lock_path, retold
from kiro_core.recovery.ladder import TEXT, Step
from kiro_core.session.changing import Move
from kiro_core.session.launching import Launching
from kiro_core.session.opening import Opening
from kiro_core.session.services import opened_services
from kiro_core.session.waking import Wake
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

Serve = Callable[[dict[str, Any], Sequence[Notice], "Move | Wake | None"], Awaitable[None]]


class Engaging:
    """Agents of one session, one after the other."""

    def __init__(self, session: Session, launching: Launching, serve: Serve) -> None:
        """Have none yet; `serve` is called when one is ready."""
        self._session = session
        self._launching = launching
        self._serve = serve

    async def engage(self, asked: Move | Wake | None) -> None:
        """Have an agent until it is gone or `serve` returns; one rung of the ladder may take a process of its own.

        Raises:
            LaunchFailed, AgentTimeout, AgentUnable, AuthRequired, RpcError: no agent can be had, or none
                that goes on with the session.

        """
        ladder = Ladder(self._session.tools.recovery)
        while True:
            try:
                return await self._engaged(ladder, asked)
            except (LaunchFailed, AgentTimeout) as error:
                ladder.step_down(error)

    async def _engaged(self, ladder: Ladder, asked: Move | Wake | None) -> None:
        session, limits = self._session, self._session.tools.limits
        until = anyio.current_time() + limits.start_s
        session.guard.require_guarded()
        moved = await self._free_lock()
        await session.desk.make_room(session)
        async with self._counted(), opened_services(session) as session.services, self._launching.launched() as agent:
            session.agent = agent
            opening = Opening(agent, session.plan, session.clients.opener, limits, until)
            session.begin_agent(opening.mcp_servers, opening.native)
            told = await self._opened(opening, ladder)
            session.plan = opening.plan
            session.guard.require_guarded(session.options.native.mode)
            stepped = await self._settle_down(
                ladder.at, _explained(ladder.step, session.plan.instead_of), goes_on=_goes_on(asked)
            )
            native = session.options.native
            answer = {**told, **native.told(), "configOptions": session.options.all()}
            model = native.model or session.plan.info.model
            await session.note(model=model, **self._planned())
            await session.mcp.settled(limits.mcp_start_s)
            notices = [*session.plan.notices, *moved, *stepped, *opening.notices, *session.mcp.notices]
            notices += session.guard.unheard()
            await self._serve(session.plan.answer(answer, model=model), notices, asked)
        if not self._launching.served:
            raise await self._launching.gone()

    @asynccontextmanager
    async def _counted(self) -> AsyncIterator[None]:
        try:
            yield
        finally:
            self._session.engaged = False
            self._session.stir()

    async def _opened(self, opening: Opening, ladder: Ladder) -> dict[str, Any]:
        session = self._session
        session.agent_session = ""
        if not session.plan.loaded:
            answer = await opening.begin()
            session.agent_session = answer["sessionId"]
            await session.note(agent_session=session.agent_session)
            return answer
        session.agent_session = session.plan.info.agent_session
        session.listener.begin_loading()
        continued = await opening.go_on(ladder)
        answer = continued or {}
        if continued is None:
            # Whatever its new session tells before its id is known is about this one.
            session.agent_session = ""
            answer = await opening.begin_anew()
            session.agent_session = answer["sessionId"]
            ladder.reached()
        session.listener.loaded(owes_history=ladder.at == "load" and session.plan.info.spoken)
        return answer

    async def _settle_down(self, rung: str, step: Step | None, *, goes_on: bool) -> list[Notice]:
        """Record how far down the ladder it went, and prepare what the agent is told with the next prompt.

        A session that `goes_on` in this process has told it already, or still has it to tell.
        """
        session = self._session
        lost: Sequence[str] = ()
        if rung == TEXT:
            read = partial(session.tools.store.read, session.plan.info.id)
            conversation = await retold(read, session.db.head, session.tools.limits.max_retold_characters)
            session.exchange.retell(conversation.text)
            lost = conversation.lost
        elif not goes_on:
            session.exchange.prepare()
        if not goes_on or rung == TEXT:
            await session.hooking.spawn()
        if step is None:
            return []
        details = {**step._asdict(), "lost": list(lost)}
        await session.journal.event("context_reset", details)
        return [_stepped_down(session.plan.engine.title or session.plan.engine.name, step, details)]

    async def _free_lock(self) -> list[Notice]:
        """Move the agent program's own lock aside when it is a dead one's."""
        session, plan = self._session, self._session.plan
        lock = lock_path(plan.engine, plan.info.agent_session, os.environ) if plan.loaded else None
        if lock is None:
            return []
        try:
            moved = await to_thread.run_sync(free_engine_lock, lock)
        except OSError as error:
            return [Notice("engine_lock_stays", f"The lock {lock} of the agent program stays: {error.strerror}.")]
        if moved is None:
            return []
        await session.journal.event("engine_lock_moved", moved._asdict())
        sentence = f"The agent program's lock on its session was left behind ({moved.reason}); it is now {moved.to}."
        return [Notice("engine_lock_moved", sentence, severity="info", details=moved._asdict())]

    def _planned(self) -> dict[str, Any]:
        info = self._session.plan.info
        names = ("cwd", "roots", "agent", "engine", "config_digest", "mode", "options")
        planned = {name: getattr(info, name) for name in names}
        if self._session.plan.loaded:
            planned["agent_session"] = info.agent_session
        return planned if self._session.ready else {**planned, "configured": self._session.begun_at}


def _goes_on(asked: Move | Wake | None) -> bool:
    """Whether the agent is the one that the session had."""
    return isinstance(asked, Wake) or (asked is not None and asked.error is not None)


def _explained(step: Step | None, instead_of: str) -> Step | None:
    """Why it went down the ladder, where a person wanted another engine: that has no session of its own yet."""
    return step._replace(reason=f"it goes on in place of {instead_of}") if step and instead_of else step


def _stepped_down(engine: str, step: Step, details: Mapping[str, Any]) -> Notice:
    how = f"goes on by session/{step.to}"
    if step.to == TEXT:
        without = f", without {' and '.join(details['lost'])}" if details["lost"] else ""
        how = f"begins anew and is told the conversation as text with the next prompt{without}"
    return Notice("context_reset", f"{engine} {how}: {step.reason}.", details=details)
