"""Decide which agent configuration and which engine a session gets, before anything is started."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from anyio import to_thread

from kiro_core.agentconfig import Resolved, all_agents
from kiro_core.dispatcher.backends import Backends
from kiro_core.dispatcher.drift import as_recorded, servers_drift
from kiro_core.dispatcher.labels import labels, require_free
from kiro_core.dispatcher.preparing import Prepared, Preparing
from kiro_core.dispatcher.requests import folder_of, named, roots_of, servers_of, texts, wish
from kiro_core.dispatcher.requiring import required, unknown
from kiro_core.dispatcher.telling import engine_kept, told_of, told_of_contents
from kiro_core.engines import Chosen, choose_engine, installed
from kiro_core.errors import EngineNotFound, KiroError, UnknownName
from kiro_core.frames import Frame
from kiro_core.journal import utc_now
from kiro_core.session import Choices, Plan
from kiro_core.trust import Document
from kiro_core.trust import refusal as refusal_of
from kiro_core.types import AgentConfig, Engine, SessionId, SessionInfo


class Planner:
    """Plans sessions; `agent`, `engine` and `trust_tools` are what the command line named, or empty."""

    def __init__(self, backends: Backends, agent: str, engine: str, trust_tools: Sequence[str] | None = None) -> None:
        """Choose among the backends' engines and sources."""
        self.preparing: Final = Preparing(backends)
        self._backends = backends
        self._agent = agent
        self._engine = engine
        self._trust_tools = trust_tools

    @property
    def wishes(self) -> Mapping[str, Any]:
        """What the command line named, as wishes of a request to another desk."""
        given = {"agent": self._agent or None, "engine": self._engine or None, "trustTools": self._trust_tools}
        return {key: value for key, value in given.items() if value is not None}

    async def fresh(self, frame: Frame, session: str = "") -> Plan:
        """Plan a new session for `{cwd, mcpServers, _meta.kiro_core: {agent, agentRequired, engine, parent, ...}}`.

        Its id is `session`, or a new one.

        Raises:
            RpcError, LabelInvalid, NameTaken: the request is not valid.
            AgentNotFound, AgentUntrusted: the agent was required, and nobody knows it or agreed to it.
            SessionNotFound: there is no such parent.
            EngineNotFound, UnknownName: there is no engine to start.

        """
        resolved = await self._resolved(frame)
        chosen = self._choose(resolved.config.name, named(frame, "engine") or self._engine)
        resolved = await self._settled(resolved, chosen.engine, frame)
        now, parent = utc_now(), named(frame, "parent")
        if parent:
            await self._backends.store.get(SessionId(parent))
        info = SessionInfo(
            id=SessionId(session or str(uuid4())),
            cwd=str(folder_of(frame)),
            created=now,
            updated=now,
            agent=resolved.config.name,
            engine=chosen.engine.name,
            parent=parent,
            config_digest=resolved.config.digest,
            roots=tuple(roots_of(frame)),
            **labels(None, named(frame, "name"), None),
        )
        await require_free(self._backends.store, info.name, info)
        info = replace(info, inherited=await self.preparing.inheriting.inherited(info))
        prepared = await self._prepared(resolved.config, info, frame, resolved)
        notices = [*told_of(resolved, chosen.said), *told_of_contents(prepared)]
        plan = self._plan(info, chosen.engine, frame, prepared, resolved, required=bool(wish(frame, "agentRequired")))
        return replace(plan, notices=notices, choices=await self._choices(folder_of(frame), chosen.engine))

    async def stored(self, frame: Frame, info: SessionInfo, *, replay: bool) -> Plan:
        """Plan to continue a recorded session, as it was: with its own engine, which may remember the conversation.

        An engine that is not there any more is the plan's refusal: the conversation can still be read.

        Raises:
            RpcError: the request is not valid.
            AgentUntrusted, AgentNotFound: the agent was required.

        """
        resolved = await self._resolved(frame, info.agent)
        engine = Engine(info.engine, ())
        refusal: KiroError | None = None
        asked, before = named(frame, "engine"), info.engine
        if asked and asked != before:
            engine = choose_engine(self._backends.engines, requested=asked).engine
            info = replace(info, engine=engine.name, agent_session="", model="", mode="", options={})
        else:
            try:
                engine = choose_engine(self._backends.engines, requested=before).engine
            except (EngineNotFound, UnknownName) as error:
                refusal = error
        resolved = await self._settled(resolved, engine, frame)
        continued = await as_recorded(self._backends.store, info, resolved, engine, trust=self.preparing.trust)
        resolved = continued.resolved
        kept = [engine_kept(info.engine, self._engine)] if not asked and self._engine not in {"", before} else []
        info = replace(
            info,
            cwd=str(folder_of(frame)),
            # What only waits for trust is what the session has, and not what stands in.
            agent=resolved.asked if resolved.untrusted else resolved.config.name,
            config_digest=info.config_digest if resolved.untrusted else resolved.config.digest,
            roots=tuple(roots_of(frame)),
        )
        more = {"as_recorded": continued.from_record, "serving": continued.serving}
        prepared = await self._prepared(resolved.config, info, frame, resolved, **more)
        drift = servers_drift(continued.servers, [server.name for server in prepared.servers])
        notices = [*told_of(resolved, ""), *drift, *continued.notices, *told_of_contents(prepared), *kept]
        plan = self._plan(info, engine, frame, prepared, resolved, loaded=True, replay=replay, refusal=refusal)
        plan = replace(plan, notices=notices, prompted=continued.from_record, changed=continued.changed)
        plan = replace(plan, instead_of="" if info.engine == before else before)
        return replace(plan, choices=await self._choices(folder_of(frame), engine))

    async def changed(self, plan: Plan, *, agent: str, engine: str) -> Plan:
        """The same plan with another agent configuration or engine; an empty name changes nothing.

        Its `notices` are what there is to tell of the change. Another engine works with the servers and the
        permissions that the session has: what was agreed to is not asked again.

        Raises:
            AgentNotFound, AgentUntrusted, UnknownName, EngineNotFound: it cannot be had.

        """
        plan = replace(plan, notices=(), handed=False)
        if engine:
            chosen = choose_engine(self._backends.engines, requested=engine).engine
            plan = replace(plan, engine=chosen, info=replace(plan.info, engine=chosen.name))
        if not agent:
            return plan
        cwd = Path(plan.info.cwd)
        resolved = await required(self.preparing, self._backends.sources, agent, cwd)
        info = replace(plan.info, agent=resolved.config.name, config_digest=resolved.config.digest)
        prepared = await self._prepared(resolved.config, info, plan.request, resolved, before=plan.servers)
        return replace(
            plan,
            info=info,
            wanted=agent,
            config=prepared.config,
            servers=prepared.servers,
            policy=prepared.policy,
            untrusted=prepared.untrusted,
            notices=[*told_of(resolved, ""), *told_of_contents(prepared)],
        )

    async def documents(self, plan: Plan, agent: str) -> Sequence[Document]:
        """See `Surroundings.documents`."""
        resolved = await self.preparing.resolved(Path(plan.info.cwd), requested=agent)
        return resolved.untrusted

    async def untrusted(self, plan: Plan, agent: str) -> bool:
        """See `Surroundings.untrusted`."""
        resolved = await self.preparing.resolved(Path(plan.info.cwd), requested=agent)
        return bool(resolved.untrusted or (resolved.problems and not resolved.found))

    def default_engine(self) -> Engine:
        """The engine of a new session for which nobody asks for anything.

        Raises:
            EngineNotFound, UnknownName.

        """
        return self._choose(self._agent or self._backends.settings.agent, self._engine).engine

    def _plan(
        self, info: SessionInfo, engine: Engine, frame: Frame, prepared: Prepared, resolved: Resolved, **more: Any
    ) -> Plan:
        return Plan(
            info,
            engine,
            prepared.config,
            frame,
            policy=prepared.policy,
            servers=prepared.servers,
            untrusted=prepared.untrusted,
            wanted=resolved.asked,
            **more,
        )

    async def _prepared(
        self,
        config: AgentConfig,
        info: SessionInfo,
        frame: Frame,
        resolved: Resolved,
        **more: Any,
    ) -> Prepared:
        return await self.preparing.prepared(
            config,
            info,
            servers=frame.params.get("mcpServers") or (),
            trust_tools=self._trust_tools if (asked := texts(frame, "trustTools")) is None else asked,
            untrusted=resolved.untrusted,
            **more,
        )

    async def _choices(self, cwd: Path, current: Engine) -> Choices:
        agents, _ = await all_agents(self._backends.sources, cwd)
        engines = self._backends.engines.values()
        usable = await to_thread.run_sync(lambda: [e for e in engines if e.automatic and installed(e)])
        return Choices(agents, usable if current in usable else [*usable, current])

    async def _resolved(self, frame: Frame, recorded: str = "") -> Resolved:
        servers_of(frame)
        return await self.preparing.resolved(
            folder_of(frame),
            requested=named(frame, "agent"),
            flag=self._agent,
            recorded=recorded,
            default=self._backends.settings.agent,
        )

    async def _settled(self, resolved: Resolved, engine: Engine, frame: Frame) -> Resolved:
        """A name that nobody here knows may be one that an engine with agents of its own knows."""
        if resolved.untrusted:
            if wish(frame, "agentRequired"):
                raise refusal_of(resolved)
            return resolved
        if not resolved.found and engine.agents == "mode" and not resolved.problems:
            config = AgentConfig(resolved.asked, origin=f"the engine {engine.name}")
            return replace(resolved, config=config, found=True)
        if not resolved.found and wish(frame, "agentRequired"):
            raise await unknown(self._backends.sources, resolved, folder_of(frame))
        return resolved

    def _choose(self, agent: str, requested: str) -> Chosen:
        settings = self._backends.settings
        for_agent = settings.agent_engines.get(agent, "")
        return choose_engine(self._backends.engines, requested=requested, for_agent=for_agent, default=settings.engine)
