"""The prompts of agent configurations, as MCP's own prompts."""

from __future__ import annotations

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    GetPromptRequestParams,
    GetPromptResult,
    ListPromptsResult,
    PaginatedRequestParams,
    Prompt,
    PromptMessage,
    TextContent,
)

from kiro_mcp.server.configured import prompt_called, prompts_in
from kiro_mcp.server.results import plain
from kiro_mcp.server.serving import Context
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.showing import one_line, shown


async def listed(ctx: Context, params: PaginatedRequestParams | None) -> ListPromptsResult:  # noqa: ARG001 - one page
    """Answer `prompts/list`."""
    found = await prompts_in(ctx.lifespan_context.service)
    return ListPromptsResult(
        prompts=[Prompt(name=one.name, description=one_line(one.description) or None) for one in found]
    )


async def get(ctx: Context, params: GetPromptRequestParams) -> GetPromptResult:
    """Answer `prompts/get`."""
    try:
        agent = await prompt_called(ctx.lifespan_context.service, params.name)
    except ToolFailure as failure:
        raise MCPError(INVALID_PARAMS, shown(failure.sentence), plain(failure.told())) from failure
    message = PromptMessage(role="user", content=TextContent(text=shown(agent.prompt)))
    return GetPromptResult(description=one_line(agent.description) or None, messages=[message])
