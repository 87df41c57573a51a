"""The server of MCP that stands in front of a desk, without a transport: the SDK's own, with our tools in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from mcp.server import Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp_types import ServerCapabilities

from kiro_core import __version__
from kiro_core.ports import Desk
from kiro_mcp.options import McpOptions
from kiro_mcp.server import prompts, resources, watching
from kiro_mcp.server.calling import Calling
from kiro_mcp.server.refusing import named_refusal
from kiro_mcp.server.serving import Serving, open_serving
from kiro_mcp.server.table import offered

_NAME = "kiro-core"
_INSTRUCTIONS = (
    "Opens and drives sessions of coding agents. kiro_chat says something in the active session and begins one where"
    " there is none. A result with `question` waits for kiro_permission_answer."
)
_ANSWERED_WITHIN_S = 3600.0
"""How old the state of a call may be that comes back with a person's answer."""


class _Server(Server[Serving]):
    def get_capabilities(self, *given: Any, **named: Any) -> ServerCapabilities:
        """As the SDK says, but for lists of which nobody is told that they change."""
        capabilities = super().get_capabilities(*given, **named)
        for fixed in (capabilities.tools, capabilities.prompts):
            if fixed is not None:
                fixed.list_changed = False
        return capabilities


def build_server(desk: Desk, options: McpOptions | None = None) -> Server[Serving]:
    """Make the SDK's low-level server for a desk; whoever runs it opens the service, and closes it in the end.

    One server has one lifespan at a time over HTTP, and one for each connection where `Server.run` serves it.
    """
    chosen = options or McpOptions()
    calling = Calling(offered(chosen.tools))

    @asynccontextmanager
    async def lifespan(_: Server[Serving]) -> AsyncIterator[Serving]:
        async with open_serving(desk, chosen) as serving:
            yield serving

    server = _Server(
        _NAME,
        version=__version__,
        title="Sessions of coding agents",
        instructions=_INSTRUCTIONS,
        lifespan=lifespan,
        on_list_tools=calling.listed,
        on_call_tool=calling.called,
        on_list_resources=resources.listed,
        on_list_resource_templates=resources.templates,
        on_read_resource=resources.read,
        on_subscribe_resource=watching.subscribe,
        on_unsubscribe_resource=watching.unsubscribe,
        on_subscriptions_listen=watching.listen,
        on_list_prompts=prompts.listed,
        on_get_prompt=prompts.get,
    )
    server.get_tool_input_schema = calling.input_schema  # of SDK 2.3; before it lists all tools to find the one
    security = RequestStateSecurity.ephemeral(ttl=_ANSWERED_WITHIN_S)
    server.middleware += [RequestStateBoundary(security, default_audience=_NAME), named_refusal]
    return server


__all__ = ["build_server"]
