"""What a face can ask about what a session could get: agent configurations, engines and settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from kiro_core.agentconfig import all_agents
from kiro_core.dispatcher.backends import Backends
from kiro_core.dispatcher.configuration import configuration
from kiro_core.dispatcher.planning import Planner
from kiro_core.dispatcher.requiring import with_contents
from kiro_core.engines import logins_of
from kiro_core.errors import EngineNotFound, UnknownName
from kiro_core.session import Tools
from kiro_core.settings import Settings
from kiro_core.types import AgentConfig, AgentSummary, Engine, PeerInfo, Problem


class Offering:
    """Those verbs of `Desk`; `planner` decides what a session does get."""

    def __init__(self, backends: Backends, planner: Planner) -> None:
        """Tell of the backends' engines and sources."""
        self.planner: Final = planner
        self._backends = backends

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return self._backends.settings

    def configuration(self) -> Mapping[str, Any]:
        """See `Desk.configuration`."""
        return configuration(self.settings, self.planner.wishes)

    async def agents(self, cwd: Path) -> tuple[Sequence[AgentSummary], Sequence[Problem]]:
        """See `Desk.agents`."""
        return await all_agents(self._backends.sources, cwd)

    async def agent(self, name: str, cwd: Path) -> AgentConfig:
        """See `Desk.agent`."""
        return await with_contents(self.planner.preparing, self._backends.sources, name, cwd)

    def engines(self) -> Sequence[Engine]:
        """See `Desk.engines`."""
        return list(self._backends.engines.values())

    def logins(self, client: PeerInfo) -> Sequence[Mapping[str, Any]]:
        """See `Attachable.logins`."""
        try:
            return logins_of(self.planner.default_engine(), client)
        except (EngineNotFound, UnknownName):
            return []

    def engine_for_login(self, name: str) -> tuple[Engine, Tools]:
        """The engine of that name, else the one that a session would get, and the backends to start it with.

        Raises:
            EngineNotFound, UnknownName.

        """
        engine = self._backends.engines.get(name) or self.planner.default_engine()
        return engine, self._backends.tools(engine)
