"""Decides which sessions of a desk are given the tools of a crew, and what they are told where that cannot be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kiro_core.crew.tools_given import crew_server, excluded_by, has_crew, named_by, shadowed, unavailable, with_crew
from kiro_core.dispatcher.backends import Backends
from kiro_core.errors import UnknownName
from kiro_core.mcp_servers import CREW, Merged, SessionServer
from kiro_core.types import AgentConfig, Notice, SessionInfo


@dataclass(frozen=True, slots=True)
class Given:
    """The servers of a session; `crew`: the crew's is among them, `approved`: its tools need no question."""

    merged: Merged
    crew: bool = False
    approved: bool = False
    notices: Sequence[Notice] = ()


class CrewGiving:
    """Gives each session a server of its own."""

    def __init__(self, backends: Backends) -> None:
        """Look into the settings each time."""
        self._backends = backends

    def given(
        self, merged: Merged, config: AgentConfig, info: SessionInfo, before: Sequence[SessionServer] = ()
    ) -> Given:
        """The servers of a session that has all in `merged`; a change goes on with the crew's `before` it.

        An agent configuration of a folder may be anybody's: what only that wants is asked about as any other tool.
        """
        for_agents = self._backends.settings.crew.for_agents
        named = for_agents != "none" and named_by(config)
        wanted = for_agents == "all" or (for_agents == "members" and bool(info.parent))
        if not (named or wanted) or excluded_by(config):
            return Given(merged)
        try:
            socket = self._socket()
        except UnknownName as error:
            return Given(merged, notices=[unavailable(str(error), error.hint)] if named else [])
        if not socket:
            reason = "this desk has no socket at which it could be reached"
            return Given(merged, notices=[unavailable(reason)] if named else [])
        server = next((one for one in before if one.origin == CREW), None) or crew_server(socket)
        merged = with_crew(merged, server)
        crew = has_crew(merged)
        return Given(merged, crew, crew and (wanted or not config.workspace), shadowed(merged))

    def _socket(self) -> str:
        self._backends.require_tool_server()
        return self._backends.contact.socket
