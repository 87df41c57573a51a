"""The verbs of a crew as tools for the agent of one session, whose desk carries the bytes to and from it."""

from __future__ import annotations

from kiro_core.ports import ByteStream, OwnCrew
from kiro_mcp.crew.server import build_crew_server
from kiro_mcp.quiet import keep_what_is_said_out_of_the_log
from kiro_mcp.stdio import converse


class AgentTools:
    """Implements `ToolServer`."""

    def __init__(self) -> None:
        """Log no message as a whole: it may have anything in it."""
        keep_what_is_said_out_of_the_log()

    async def serve_tools(self, crew: OwnCrew, stream: ByteStream) -> None:
        """See `ToolServer.serve_tools`."""
        await converse(build_crew_server(crew), stream)


__all__ = ["AgentTools", "build_crew_server"]
