"""The desk as its crews see it."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiro_core.agentconfig import all_agents
from kiro_core.crew.live import Live, Seat
from kiro_core.dispatcher.backends import Backends
from kiro_core.dispatcher.connection import Connection
from kiro_core.dispatcher.inheriting import binding
from kiro_core.dispatcher.living import Living
from kiro_core.engines import choose_engine
from kiro_core.errors import EngineNotFound, UnknownName
from kiro_core.ports import Client, SessionStore
from kiro_core.session import require_kept
from kiro_core.settings import Settings
from kiro_core.types import Contact, SessionId, SessionInfo, Told

if TYPE_CHECKING:
    from kiro_core.crew.fitting import Known
    from kiro_core.dispatcher.desk import Dispatcher


class CrewGround:
    """Implements `kiro_core.crew.ground.Ground`."""

    def __init__(self, desk: Dispatcher, backends: Backends) -> None:
        """Speak for a desk and its backends."""
        self._desk = desk
        self._backends = backends

    @property
    def settings(self) -> Settings:
        """See `Ground.settings`."""
        return self._backends.settings

    @property
    def store(self) -> SessionStore:
        """See `Ground.store`."""
        return self._backends.store

    @property
    def contact(self) -> Contact:
        """See `Ground.contact`."""
        return self._backends.contact

    @property
    def is_open(self) -> bool:
        """See `Ground.is_open`."""
        return self._desk.reception.state != "draining"

    def require_open(self) -> None:
        """See `Ground.require_open`."""
        self._desk.ground.require_open()

    def require_kept(self, info: SessionInfo) -> None:
        """See `Ground.require_kept`."""
        require_kept(info)

    def admit(self, client: Client) -> AbstractAsyncContextManager[Seat]:
        """See `Ground.admit`."""
        return self._desk.admit(client)

    def told(self, session: SessionId) -> AsyncGenerator[Told, None]:
        """See `Ground.told`."""
        return self._desk.told(session)

    def live(self, session: str) -> Live | None:
        """See `Ground.live`."""
        found = self._desk.ground.session(session)
        return None if found is None else Living(found)

    def lives(self) -> Sequence[Live]:
        """See `Ground.lives`."""
        return [Living(session) for session in self._desk.live.values()]

    def above(self, session: str) -> Sequence[SessionId]:
        """See `Ground.above`."""
        found = self._desk.ground.session(session)
        return [] if found is None else [one.plan.info.id for one in self._desk.ground.ancestors(found)]

    def depth(self, session: str) -> int:
        """See `Ground.depth`."""
        found = self._desk.ground.session(session)
        return 0 if found is None else binding(found.plan.info)

    def seat(self, client: Client) -> Seat:
        """See `Ground.seat`."""
        return Connection(self._desk, client)

    def has_tools(self, session: SessionId) -> bool:
        """See `Ground.has_tools`."""
        live = self._desk.live.get(session)
        return live is not None and live.plan.has_crew

    def uses_tools(self, session: SessionId) -> bool:
        """See `Ground.uses_tools`."""
        return self._desk.crew_tools.used_by(session)

    async def wake(self, session: SessionId) -> None:
        """See `Ground.wake`."""
        await self._desk.ground.wake(session)

    async def recorded(self, session: SessionId, value: Any) -> Any:
        """See `Ground.recorded`."""
        return await self._desk.recording.recorded(session, value)

    async def sweep(self) -> None:
        """See `Ground.sweep`."""
        await self._backends.sweep()

    async def known(self, cwd: Path, engine: str) -> Known:
        """See `Ground.known`; an engine may have agents of its own, of which nobody else knows."""
        from kiro_core.crew.fitting import Known

        agents, _ = await all_agents(self._backends.sources, cwd)
        engines = self._backends.engines
        native = {name for name, each in engines.items() if each.agents == "mode"}
        without = ""
        try:
            chosen = choose_engine(engines, requested=engine).engine if engine else self._desk.planner.default_engine()
            if chosen.name in native:
                native.add("")
        except (EngineNotFound, UnknownName) as error:
            if engine:
                raise
            # What the default agent is, and so whether it has an engine of its own, is known when it is opened.
            without = "" if self.settings.agent_engines else str(error).rstrip(".")
        return Known({agent.name for agent in agents}, set(engines), native, without)
