"""Another agent configuration or another engine for a session: all of it takes effect, or the old one is back.

A change is carried out between two turns. What a running agent program can be given is given to it; for anything
else the program is started anew, and goes on by the ladder of recovery, so that the conversation is kept.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from kiro_core.errors import AgentNotFound, SessionBusy, SessionClosing
from kiro_core.frames import Frame
from kiro_core.session.changing import Move, first_of
from kiro_core.session.plan import Plan, Tools
from kiro_core.types import AgentConfig, Engine, Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session


RELOAD = "_kiro_core/session/reload"
"""The request `{sessionId}` -> `{changed, configOptions}`: use the agent configuration as its file says today."""


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
        async with self._between_turns():
            await self.agent_now(name)

    async def agent_now(self, name: str) -> None:
        """The same for a turn that has begun and was not sent yet."""
        before = self._session.plan
        plan, tools = await self._changed(agent=name)
        await self._apply(replace(plan, prompted=True), tools)
        await self.switched(before)

    async def trusted_now(self) -> None:
        """Use what the person has just agreed to, in a turn that has begun and was not sent yet."""
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
        async with self._between_turns(awake=False):
            await self.engine_now(name)

    async def engine_now(self, name: str) -> None:
        """The same in place of a turn."""
        if name != self._session.plan.engine.name or self._session.refusal is not None:
            before = self._session.plan
            plan, tools = await self._changed(engine=name)
            info = replace(plan.info, agent_session="", model="", mode="", options={})
            await self._move(replace(plan, info=info, prompted=False), tools, instead_of=before.engine)
            await self._session.show(self._session.options.now())

    async def reload(self) -> bool:
        """Use the session's agent configuration as its file says today; whether that is another one than before.

        Raises:
            AgentNotFound, AgentUntrusted, KiroError: as `agent`.

        """
        async with self._between_turns():
            before = self._session.plan
            plan, tools = await self._changed(agent=before.config.name)
            if plan.config == before.config and plan.servers == before.servers:
                return False
            await self._apply(plan, tools)
            sentence = f"The agent configuration '{plan.config.name}' was read again."
            await self._session.tell(Notice("agent_reloaded", sentence, severity="info"))
            return True

    async def noted(self, name: str) -> None:
        """Take note of a configuration to which the agent program has changed, which it applies by itself."""
        session = self._session
        before = session.plan
        try:
            plan, _ = await self._changed(agent=name)
        except AgentNotFound:
            config = AgentConfig(name, origin=f"the engine {before.engine.name}")
            plan = replace(before, config=config)
        session.plan = replace(plan, prompted=False)
        session.exchange.preface = ""
        await self._record()

    @asynccontextmanager
    async def _between_turns(self, *, awake: bool = True) -> AsyncIterator[None]:
        session = self._session
        turns = session.working() if awake else session.open_turns()
        if turns.running is not None and session.tools.swap_when_busy == "refuse":
            raise SessionBusy("A turn is running.", hint="Wait for its end or cancel it, then change again.")
        async with turns.between():
            if awake:
                session.working()
                await session.rousing.awake()
            yield

    async def _changed(self, **wanted: str) -> tuple[Plan, Tools]:
        """The plan with what is wanted, and with all that the session has become meanwhile."""
        session = self._session
        return await session.desk.changed(replace(session.plan, info=session.metadata.info), **wanted)

    async def _apply(self, plan: Plan, tools: Tools) -> None:
        """Apply a configuration where the agent is, or in a new process of it."""
        session = self._session
        model = plan.config.model
        handed = session.plan.handed and plan.instructions != session.plan.instructions
        if plan.servers != session.plan.servers or handed:
            info = replace(plan.info, model=model or session.metadata.info.model)
            await self._move(replace(plan, info=info, exact=True), tools)
            return
        if model and model != session.options.native.model:
            await session.options.set_model(model)
        session.plan = plan
        session.exchange.preface = plan.preface
        await self._record()

    async def _move(self, plan: Plan, tools: Tools, instead_of: Engine | None = None) -> None:
        """Have a new agent program for the plan, perhaps another one."""
        session = self._session
        begun = session.plan.loaded or session.exchange.spoken
        move = Move(replace(plan, loaded=begun, replay=False, changed=True, notices=()), tools, instead_of)
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
        await self._record()

    async def _record(self) -> None:
        session = self._session
        before, plan = session.db.head, session.plan
        try:
            await session.journal.event("configured", plan.effective())
        finally:
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
        if told.get("welcomeMessage"):
            await session.tell(Notice("agent_switched", str(welcome), severity="info", details={"agent": config.name}))
        await session.show(session.options.now())
