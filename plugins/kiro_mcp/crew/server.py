"""The server of MCP that one session's agent reaches: the SDK's own, with three tools in it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mcp.server import Server
from mcp_types import CallToolRequestParams, CallToolResult, ListToolsResult, PaginatedRequestParams

from kiro_core import __version__
from kiro_core.errors import KiroError
from kiro_core.ports import OwnCrew
from kiro_mcp.crew import management, subagent, summary
from kiro_mcp.crew.results import refused
from kiro_mcp.crew.tool import Call, Context, CrewTool
from kiro_mcp.server.calling import checked
from kiro_mcp.server.refusing import named_refusal
from kiro_mcp.service.failing import ToolFailure

_LOG = logging.getLogger(__name__)
_INSTRUCTIONS = (
    "Other agents work for you: `subagent` runs several stages and returns their results, `session_management` spawns"
    " sessions, writes to them and waits for them, `summary` tells the result of your own task."
)
_TOOLS: tuple[CrewTool[Any], ...] = (management.TOOL, subagent.TOOL, summary.TOOL)


class _Tools:
    """The tools of one connection, as the SDK calls them."""

    def __init__(self, crew: OwnCrew) -> None:
        self._crew = crew

    @property
    def _offered(self) -> Mapping[str, CrewTool[Any]]:
        spawns = self._crew.may_spawn
        return {tool.name: tool for tool in _TOOLS if spawns or not tool.only_spawns}

    async def listed(self, ctx: Context, params: PaginatedRequestParams | None) -> ListToolsResult:  # noqa: ARG002 - one page
        """Answer `tools/list`."""
        spawns = self._crew.may_spawn
        return ListToolsResult(tools=[tool.offered(spawns=spawns) for tool in self._offered.values()])

    async def called(self, ctx: Context, params: CallToolRequestParams) -> CallToolResult:
        """Answer `tools/call`; whatever fails is told to the agent."""
        try:
            tool = self._tool(params.name)
            return await tool.run(Call(ctx, self._crew), checked(tool, params.arguments or {}))
        except (ToolFailure, KiroError) as error:
            return refused(error)
        except Exception as error:  # noqa: BLE001 - a boundary: an agent is told of every failure, in one shape
            _LOG.exception("%s failed", params.name)
            return refused(error)

    def _tool(self, name: str) -> CrewTool[Any]:
        if name in self._offered:
            return self._offered[name]
        there_are = f"There are {', '.join(self._offered)}."
        raise ToolFailure("INVALID_COMMAND", f"There is no tool called {name!r}.", hint=there_are)


def build_crew_server(crew: OwnCrew) -> Server[Any]:
    """Make a server that acts for one session."""
    tools = _Tools(crew)
    server: Server[Any] = Server(
        "crew",
        version=__version__,
        title="Your crew",
        instructions=_INSTRUCTIONS,
        on_list_tools=tools.listed,
        on_call_tool=tools.called,
    )
    server.middleware.append(named_refusal)
    return server
