"""Decide which agent configuration and which engine a session gets, before anything is started."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from anyio import to_thread

from kiro_core.agentconfig import Resolved, all_agents, resolve
from kiro_core.dispatcher.backends import Backends
from kiro_core.dispatcher.drift import as_recorded
from kiro_core.dispatcher.labels import labels, require_free
from kiro_core.dispatcher.requests import folder_of, named, roots_of, servers_of, wish
from kiro_core.dispatcher.telling import told_of
from kiro_core.engines import Chosen, choose_engine, installed
from kiro_core.errors import AgentNotFound, EngineNotFound, KiroError, UnknownName
from kiro_core.explain import near_miss
from kiro_core.frames import Frame
from kiro_core.journal import utc_now
from kiro_core.session import Choices, Plan
from kiro_core.settings import kiro_home
from kiro_core.types import AgentConfig, Engine, Notice, SessionId, SessionInfo


class Planner:
    """Plans sessions; `agent` and `engine` are what the command line named, or empty."""

    def __init__(self, backends: Backends, agent: str, engine: str) -> None:
        """Choose among the backends' engines and sources."""
        self._backends = backends
        self._agent = agent
        self._engine = engine

    @property
    def names(self) -> Mapping[str, str]:
        """What the command line named, as wishes of a request to another desk."""
        return {key: name for key, name in (("agent", self._agent), ("engine", self._engine)) if name}

    async def fresh(self, frame: Frame) -> Plan:
        """Plan a new session for `{cwd, mcpServers, _meta.kiro_core: {agent, agentRequired, engine}}`.

        Raises:
            RpcError, LabelInvalid, NameTaken: the request is not valid.
            AgentNotFound: the agent was required and nobody knows it.
            EngineNotFound, UnknownName: there is no engine to start.

        """
        resolved = await self._resolved(frame)
        chosen = self._choose(resolved.config.name, named(frame, "engine") or self._engine)
        resolved = await self._settled(resolved, chosen.engine, frame)
        now = utc_now()
        info = SessionInfo(
            id=SessionId(str(uuid4())),
            cwd=str(folder_of(frame)),
            created=now,
            updated=now,
            agent=resolved.config.name,
            engine=chosen.engine.name,
            config_digest=resolved.config.digest,
            roots=tuple(roots_of(frame)),
            **labels(None, named(frame, "name"), None),
        )
        await require_free(self._backends.store, info.name, info)
        choices = await self._choices(folder_of(frame), chosen.engine)
        notices = told_of(resolved, chosen.said)
        required = bool(wish(frame, "agentRequired"))
        return Plan(info, chosen.engine, resolved.config, frame, notices=notices, choices=choices, required=required)

    async def stored(self, frame: Frame, info: SessionInfo, *, replay: bool) -> Plan:
        """Plan to continue a recorded session, as it was: with its own engine, which may remember the conversation.

        An engine that is not there any more is the plan's refusal: the conversation can still be read.

        Raises:
            RpcError: the request is not valid.

        """
        resolved = await self._resolved(frame, info.agent)
        engine = Engine(info.engine, ())
        refusal: KiroError | None = None
        try:
            engine = choose_engine(self._backends.engines, requested=info.engine).engine
        except (EngineNotFound, UnknownName) as error:
            refusal = error
        resolved = await self._settled(resolved, engine, frame)
        continued = await as_recorded(self._backends.store, info, resolved, engine, frame)
        resolved = continued.resolved
        notices = [*told_of(resolved, ""), *continued.notices]
        wanted = named(frame, "engine") or self._engine
        if wanted and wanted != info.engine:
            sentence = f"The session goes on with its own engine '{info.engine}', not with '{wanted}'."
            notices.append(Notice("engine_kept", sentence, details={"engine": info.engine, "requested": wanted}))
        info = replace(
            info,
            cwd=str(folder_of(frame)),
            agent=resolved.config.name,
            config_digest=resolved.config.digest,
            roots=tuple(roots_of(frame)),
        )
        plan = Plan(info, engine, resolved.config, frame, loaded=True, replay=replay, refusal=refusal, notices=notices)
        plan = replace(plan, prompted=continued.from_record, changed=continued.changed)
        return replace(plan, choices=await self._choices(folder_of(frame), engine))

    async def changed(self, plan: Plan, *, agent: str, engine: str) -> Plan:
        """The same plan with another agent configuration or engine; an empty name changes nothing.

        Raises:
            AgentNotFound, UnknownName, EngineNotFound: it cannot be had.

        """
        if engine:
            chosen = choose_engine(self._backends.engines, requested=engine).engine
            plan = replace(plan, engine=chosen, info=replace(plan.info, engine=chosen.name), notices=())
        if agent:
            cwd = Path(plan.info.cwd)
            resolved = await resolve(self._backends.sources, cwd, requested=agent, home=kiro_home(os.environ))
            if not resolved.found:
                raise await self._unknown(resolved, cwd)
            info = replace(plan.info, agent=resolved.config.name, config_digest=resolved.config.digest)
            plan = replace(plan, config=resolved.config, info=info)
        return plan

    async def withheld(self, plan: Plan, agent: str) -> bool:
        """See `Surroundings.withheld`."""
        home = kiro_home(os.environ)
        resolved = await resolve(self._backends.sources, Path(plan.info.cwd), requested=agent, home=home)
        return bool(resolved.config.withheld if resolved.found else resolved.problems)

    def default_engine(self) -> Engine:
        """The engine of a new session for which nobody asks for anything.

        Raises:
            EngineNotFound, UnknownName.

        """
        return self._choose(self._agent or self._backends.settings.agent, self._engine).engine

    async def _choices(self, cwd: Path, current: Engine) -> Choices:
        agents, _ = await all_agents(self._backends.sources, cwd)
        engines = self._backends.engines.values()
        usable = await to_thread.run_sync(lambda: [e for e in engines if e.automatic and installed(e)])
        return Choices(agents, usable if current in usable else [*usable, current])

    async def _resolved(self, frame: Frame, recorded: str = "") -> Resolved:
        servers_of(frame)
        return await resolve(
            self._backends.sources,
            folder_of(frame),
            requested=named(frame, "agent"),
            flag=self._agent,
            recorded=recorded,
            default=self._backends.settings.agent,
            home=kiro_home(os.environ),
        )

    async def _settled(self, resolved: Resolved, engine: Engine, frame: Frame) -> Resolved:
        """A name that nobody here knows may be one that an engine with agents of its own knows."""
        if not resolved.found and engine.agents == "mode" and not resolved.problems:
            config = AgentConfig(resolved.asked, origin=f"the engine {engine.name}")
            return replace(resolved, config=config, found=True)
        if not resolved.found and wish(frame, "agentRequired"):
            raise await self._unknown(resolved, folder_of(frame))
        return resolved

    async def _unknown(self, resolved: Resolved, cwd: Path) -> AgentNotFound:
        summaries, _ = await all_agents(self._backends.sources, cwd)
        known = sorted(summary.name for summary in summaries)
        hint = "\n".join([f"Available: {', '.join(known)}.", *(f"{problem}." for problem in resolved.problems)])
        sentence = f"No agent configuration is called {resolved.asked!r}{near_miss(resolved.asked, known)}"
        return AgentNotFound(sentence, hint=hint, agent=resolved.asked, available=known)

    def _choose(self, agent: str, requested: str) -> Chosen:
        settings = self._backends.settings
        for_agent = settings.agent_engines.get(agent, "")
        return choose_engine(self._backends.engines, requested=requested, for_agent=for_agent, default=settings.engine)
