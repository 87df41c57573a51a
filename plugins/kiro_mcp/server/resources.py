"""What hosts can read: the open sessions, each with its transcript, the agents, and the settings."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    ListResourcesResult,
    ListResourceTemplatesResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextResourceContents,
)

from kiro_mcp.server.configured import agents_in
from kiro_mcp.server.results import plain
from kiro_mcp.server.serving import Context
from kiro_mcp.server.sessions import listing
from kiro_mcp.server.subscribing import SESSIONS
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.showing import one_line

AGENTS = "kiro://agents"
CONFIG = "kiro://config"
_JSON = "application/json"
BELOW = f"{SESSIONS}/"
"""What the resource of a session begins with."""


async def listed(ctx: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:  # noqa: ARG001 - one page
    """Answer `resources/list`: the fixed ones, and the transcript of each session that the host sees."""
    serving = ctx.lifespan_context
    sessions = serving.service.sessions.listed(serving.connections.of(ctx).host)
    return ListResourcesResult(
        resources=[
            Resource(uri=SESSIONS, name="sessions", description="The open sessions.", mime_type=_JSON),
            Resource(uri=AGENTS, name="agents", description="The agent configurations.", mime_type=_JSON),
            Resource(uri=CONFIG, name="config", description="The settings; secrets by name only.", mime_type=_JSON),
            *(
                Resource(uri=BELOW + one.id, name=one.id, title=one_line(one.title) or None, mime_type=_JSON)
                for one in sessions
            ),
        ]
    )


async def templates(ctx: Context, params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:  # noqa: ARG001 - one page
    """Answer `resources/templates/list`."""
    template = ResourceTemplate(
        uri_template=BELOW + "{id}", name="session", description="What happened in a session.", mime_type=_JSON
    )
    return ListResourceTemplatesResult(resource_templates=[template])


async def read(ctx: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
    """Answer `resources/read`."""
    text = json.dumps(plain(await _content(ctx, params.uri)), ensure_ascii=False)
    return ReadResourceResult(contents=[TextResourceContents(uri=params.uri, mime_type=_JSON, text=text)])


async def _content(ctx: Context, uri: str) -> Mapping[str, Any]:
    service = ctx.lifespan_context.service
    host = ctx.lifespan_context.connections.of(ctx).host
    if uri == SESSIONS:
        return listing(host, list(service.sessions.listed(host)))
    if uri == AGENTS:
        found = await agents_in(service)
        return {"agents": [{"name": one.name, "description": one.description, "origin": one.origin} for one in found]}
    if uri == CONFIG:
        return {"settings": service.desk.configuration(), "mcp": service.options.model_dump(mode="json")}
    if uri.startswith(BELOW):
        session_id = uri.removeprefix(BELOW)
        try:
            return {"session_id": session_id, "transcript": await service.past.transcript(host, session_id)}
        except ToolFailure as failure:
            raise unknown(uri, failure) from failure
    raise unknown(uri)


def unknown(uri: str, failure: ToolFailure | None = None) -> MCPError:
    """The error of SEP-2164; a failure of ours is told with it."""
    sentence = failure.sentence if failure else f"There is no resource {uri!r}."
    data = {"uri": uri, **(dict(failure.told()) if failure else {})}
    return MCPError(INVALID_PARAMS, one_line(sentence), plain(data))
