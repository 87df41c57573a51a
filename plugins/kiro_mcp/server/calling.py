"""Calls of tools: arguments are checked, the tool runs, and whatever fails has the one shape of failures."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Protocol

from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListToolsResult,
    PaginatedRequestParams,
)
from pydantic import ValidationError
from pydantic_core import ErrorDetails

from kiro_core.errors import KiroError
from kiro_mcp.server.results import refused, returned
from kiro_mcp.server.serving import Context
from kiro_mcp.server.table import ALL
from kiro_mcp.server.tool import Arguments, Call, Tool
from kiro_mcp.service.failing import ToolFailure, failure_of

_LOG = logging.getLogger(__name__)


class Calling:
    """The tools of one server, as the SDK calls them."""

    def __init__(self, tools: Mapping[str, Tool[Any]]) -> None:
        """Offer these, by name."""
        self._tools = tools
        self._unoffered = {tool.name for tool in ALL} - tools.keys()

    async def listed(self, ctx: Context, params: PaginatedRequestParams | None) -> ListToolsResult:  # noqa: ARG002 - one page
        """Answer `tools/list`."""
        return ListToolsResult(tools=[tool.offered for tool in self._tools.values()])

    def input_schema(self, name: str) -> Mapping[str, Any] | None:
        """The schema of a tool's arguments; None for one that there is not."""
        tool = self._tools.get(name)
        return tool.offered.input_schema if tool else None

    async def called(self, ctx: Context, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
        """Answer `tools/call`."""
        try:
            tool = self._tool(params.name)
            arguments = checked(tool, params.arguments or {})
            host = ctx.lifespan_context.connections.of(ctx).host
            answer = await tool.run(Call(ctx, params, host), arguments)
        except MCPError:
            raise
        except Exception as error:  # noqa: BLE001 - a boundary: a host is told of every failure, in one shape
            if not isinstance(error, (ToolFailure, KiroError)):
                _LOG.exception("%s failed", params.name)
            return refused(failure_of(error), self._unoffered)
        return answer if isinstance(answer, InputRequiredResult) else returned(answer, self._unoffered)

    def _tool(self, name: str) -> Tool[Any]:
        if name in self._tools:
            return self._tools[name]
        raise ToolFailure(
            "INVALID_COMMAND",
            f"There is no tool called {name!r}.",
            hint=f"There are {', '.join(self._tools)}.",
            details={"tool": name},
        )


class Taking(Protocol):
    """A tool, as far as its arguments are concerned."""

    @property
    def name(self) -> str:
        """As it is called."""
        ...

    @property
    def takes(self) -> type[Arguments]:
        """The model of its arguments."""
        ...


def checked(tool: Taking, given: Mapping[str, Any]) -> Any:
    """The arguments as their model; null is an argument that was left out.

    Raises:
        ToolFailure: INVALID_COMMAND, they are not what it takes.

    """
    named = {name: value for name, value in given.items() if value is not None}
    try:
        return tool.takes.model_validate(named)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ToolFailure(
            "INVALID_COMMAND",
            _sentence(tool, first),
            hint=f"It takes {', '.join(tool.takes.model_fields) or 'no arguments'}.",
            details={"tool": tool.name, "argument": _argument(first)},
        ) from error


def _sentence(tool: Taking, error: ErrorDetails) -> str:
    argument = _argument(error)
    if error["type"] == "missing":
        return f"{tool.name} needs {argument}."
    if error["type"] == "string_too_short":
        return f"{argument} of {tool.name} is blank."
    if error["type"] == "extra_forbidden":
        return f"{tool.name} does not take {argument!r}."
    return f"{argument} of {tool.name} is not good: {error['msg'][:1].lower()}{error['msg'][1:]}."


def _argument(error: ErrorDetails) -> str:
    return ".".join(str(part) for part in error["loc"])
