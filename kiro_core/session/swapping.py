"""Another agent configuration or another engine for a session: all of it takes effect, or the old one is back.

A change is carried out between two turns. What a running agent program can be given is given to it; for anything
else the program is started anew, and goes on by the ladder of recovery, so that the conversation is kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

import anyio

from kiro_core.engines.visiting import Nobody, visited
from kiro_core.errors import AgentNotFound, SessionBusy, SessionClosing
from kiro_core.frames import Frame
from kiro_core.session.changing import Move, first_of
from kiro_core.session.plan import Plan, Tools
from kiro_core.types import AgentConfig, Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session
    from kiro_core.session.turns import Turns

T = TypeVar("T")

_SUPERSEDED = "The instructions that stood at the beginning of this conversation no longer hold."
_CLEARED = "The agent begins anew, and knows nothing of what was said before."


@dataclass(slots=True)
class _Change:
    """A change that is being carried out; `done` tells that it has a result or an error."""

    work: Callable[[], Awaitable[Any]]
    done: anyio.Event = field(default_factory=anyio.Event)
    result: Any = None
    error: Exception | None = None


class Swaps:
    """Changes what one session runs with."""

    def __init__(self, session: Session) -> None:
        """Change nothing yet."""
        self._session = session

    async def agent(self, name: str) -> None:
        """Use another agent configuration from the next turn on.

        Raises:
            AgentNotFound, AgentUntrusted: it cannot be used.
            KiroError: a part of it could not be applied; the session goes on as before.

        """
        await self._carried_out(partial(self.agent_now, name))

    async def agent_now(self, name: str) -> None:
        """The same in place of a turn, or in one that was not sent yet."""
        before = self._session.plan
        await self._session.trusting.agree(await self._session.desk.documents(before, name))
        plan, tools = await self._changed(agent=name)
        await self._apply(replace(plan, prompted=True), tools)
        await self.switched(before)

    async def trusted_now(self) -> None:
        """Use what the person has just agreed to, in a turn that was not sent yet."""
        before = self._session.plan
        plan, tools = await self._changed(agent=before.wanted)
        await self._move(replace(plan, prompted=False), tools)
        await self.switched(before)

    async def engine(self, name: str) -> None:
        """Go on with another agent program, which is told the conversation as text.

        Raises:
            UnknownName, EngineNotFound, LaunchFailed, ...: it cannot be had; the old one is back.

        """
        # The one that it has may be the reason for the change: it is not needed.
        await self._carried_out(partial(self.engine_now, name), awake=False)

    async def engine_now(self, name: str) -> None:
        """The same in place of a turn."""
        session, before = self._session, self._session.plan
        if name == before.engine.name and session.refusal is None:
            return
        plan, tools = await self._changed(engine=name)
        # One that may not have the session, or does not even start, costs the old one nothing.
        session.guard.require_guarded(plan=plan)
        async with visited(plan.engine, tools.launcher, tools.wire, Nobody(), tools.limits.start_s):
            pass
        info = replace(plan.info, agent_session="", model="", mode="", options={})
        await self._move(replace(plan, info=info, prompted=False, instead_of=before.engine.name), tools)
        await session.show(session.options.now())

    async def reload(self) -> bool:
        """Use the session's agent configuration as its file says today; whether that is another one than before.

        Raises:
            AgentNotFound, AgentUntrusted, KiroError: as `agent`.

        """
        return await self._carried_out(self._reload_now)

    async def clear(self) -> None:
        """Go on with a new process of the agent program, which knows nothing of what was said; the record stays.

        Raises:
            KiroError: it cannot be had; the old one is back.

        """
        await self._carried_out(self._clear_now, awake=False)

    async def between(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do something to the agent between two turns."""
        return await self._carried_out(work)

    async def noted(self, name: str) -> None:
        """Take note of a configuration to which the agent program has changed, which it applies by itself."""
        session = self._session
        before = session.plan
        try:
            plan, _ = await self._changed(agent=name)
        except AgentNotFound:
            config = AgentConfig(name, origin=f"the engine {before.engine.name}")
            plan = replace(before, config=config)
        session.plan = replace(plan, prompted=False, handed=before.handed)
        session.front.preface = ""
        await self._record()

    async def _carried_out(self, work: Callable[[], Awaitable[T]], *, awake: bool = True) -> T:
        """Have it done between two turns; it outlives who asked for it, as a turn does."""
        session = self._session
        turns = session.working() if awake else session.open_turns()
        if turns.running is not None and session.tools.swap_when_busy == "refuse":
            raise SessionBusy("A turn is running.", hint="Wait for its end or cancel it, then change again.")
        if turns.ended:
            raise SessionClosing("The session is being closed.", hint="Open it again to go on.")
        change = _Change(work)
        turns.tasks.start_soon(partial(self._run, change, turns, awake=awake))
        await first_of(change.done, session.ended)
        if change.error is not None:
            raise change.error
        if not change.done.is_set():
            raise session.failure or SessionClosing("The session ended while it was changed.")
        return cast("T", change.result)

    async def _run(self, change: _Change, turns: Turns, *, awake: bool) -> None:
        try:
            async with turns.between():
                if awake:
                    self._session.working()
                    await self._session.rousing.awake()
                change.result = await change.work()
        except Exception as error:  # noqa: BLE001 - an agent source is a boundary; whoever asked learns of any failure
            change.error = error
        change.done.set()

    async def _reload_now(self) -> bool:
        before = self._session.plan
        plan, tools = await self._changed(agent=before.wanted if before.untrusted else before.config.name)
        if plan.config == before.config and plan.servers == before.servers:
            return False
        if plan.by_mode:
            # The program has read the file when it was started.
            await self._move(replace(plan, exact=True), tools)
        else:
            await self._apply(plan, tools)
        sentence = f"The agent configuration '{plan.config.name}' was read again."
        await self._session.tell(Notice("agent_reloaded", sentence, severity="info"))
        return True

    async def _clear_now(self) -> None:
        session = self._session
        info = replace(session.metadata.info, agent_session="")
        await self._moved(replace(session.plan, info=info, prompted=False, loaded=False), session.tools)
        session.exchange.spoken = False
        await session.journal.event("context_reset", {"to": "nothing", "reason": "it was cleared"})
        await session.note(spoken=False)
        await session.tell(Notice("context_reset", _CLEARED, severity="info"))

    async def _changed(self, **wanted: str) -> tuple[Plan, Tools]:
        """The plan with what is wanted, and with all that the session has become meanwhile."""
        session = self._session
        return await session.desk.changed(replace(session.plan, info=session.metadata.info), **wanted)

    async def _apply(self, plan: Plan, tools: Tools) -> None:
        """Apply a configuration where the agent is, or in a new process of it."""
        session, before = self._session, self._session.plan
        model = plan.config.model
        handed = before.handed and plan.instructions != before.instructions
        if plan.servers != before.servers or plan.command != before.command or handed:
            info = replace(plan.info, model=model or session.metadata.info.model)
            await self._move(replace(plan, info=info, exact=True), tools)
            return
        session.guard.require_guarded(session.options.native.mode, plan)
        if model and model != session.options.native.model:
            await session.options.set_model(model)
        delivered = self._delivered
        session.plan = replace(plan, handed=before.handed, notices=())
        session.front.preface = self._in_front(before, delivered=delivered)
        await session.hooking.spawn()
        await self._record()
        for notice in plan.notices:
            await session.tell(notice)

    @property
    def _delivered(self) -> bool:
        """Whether the agent was told what the configuration says."""
        return self._session.exchange.spoken and self._session.front.delivered

    def _in_front(self, before: Plan, *, delivered: bool) -> str:
        """What the agent is told of its new configuration, when it was told of an old one."""
        plan = self._session.plan
        if plan.by_mode or plan.handed:
            return ""
        superseded = _SUPERSEDED if delivered and before.preface else ""
        return "\n\n".join(text for text in (superseded, plan.preface) if text)

    async def _move(self, plan: Plan, tools: Tools) -> None:
        """Have a new agent program for the plan, perhaps another one."""
        session, before, delivered = self._session, self._session.plan, self._delivered
        begun = session.plan.loaded or session.exchange.spoken
        await self._moved(replace(plan, loaded=begun), tools)
        if not session.front.conversation and not plan.instead_of:
            session.front.preface = self._in_front(before, delivered=delivered)
        await self._record()

    async def _moved(self, plan: Plan, tools: Tools) -> None:
        session = self._session
        move = Move(replace(plan, replay=False, changed=True), tools)
        session.moving = True
        try:
            session.send(move)
            await first_of(move.done, session.ended)
        finally:
            session.moving = False
        if move.error is not None:
            raise move.error
        if not move.done.is_set():
            raise session.failure or SessionClosing("The session ended while it was changed.")

    async def _record(self) -> None:
        """Put on record what the session has now: a store that fails takes it later."""
        session, plan = self._session, self._session.plan
        before = session.db.head
        session.journal.later("configured", plan.effective(), session.running_turn)
        await session.note(agent=plan.config.name, config_digest=plan.config.digest, configured=before)

    async def switched(self, before: Plan) -> None:
        """Tell everybody, in Kiro's words too (kiro-cli 2.x, `_kiro.dev/agent/switched`)."""
        session, config = self._session, self._session.plan.config
        if config.name == before.config.name:
            return
        welcome = config.fields.get("welcomeMessage")
        told = {
            "agentName": config.name,
            "previousAgentName": before.config.name,
            "model": session.options.native.model,
        }
        if isinstance(welcome, str) and welcome:
            told["welcomeMessage"] = welcome
        params = {"sessionId": session.agent_session, **{name: value for name, value in told.items() if value}}
        await session.show([Frame.of("_kiro.dev/agent/switched", params)])
        if told.get("welcomeMessage") or len(session.clients.members) > 1:
            sentence = str(welcome or f"The session goes on as '{config.name}', no more as '{before.config.name}'.")
            await session.tell(Notice("agent_switched", sentence, severity="info", details={"agent": config.name}))
        await session.show(session.options.now())
