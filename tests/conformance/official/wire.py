"""Tools with which the suite looks at the wire: capabilities, streams, headers and changes that are told."""

import mcp_types as types
from mcp.server.subscriptions import PromptsListChanged, ToolsListChanged
from mcp.shared.exceptions import MCPError

from official.content import TOOLS as CONTENT
from official.fixture import said, tool
from official.rounds import TOOLS as ROUNDS

_HEADER = {"type": "object", "properties": {"region": {"type": "string", "x-mcp-header": "Region"}}}


async def _missing_capability(context, params):
    if context.session.client_capabilities.sampling is None:
        needed = {"requiredCapabilities": {"sampling": {}}}
        raise MCPError(types.MISSING_REQUIRED_CLIENT_CAPABILITY, "This needs a client that samples.", needed)
    return said("The client samples.")


async def _header(context, params):
    return said(f"The region is {(params.arguments or {}).get('region')}.")


def _telling(event):
    async def answer(context, params):
        await context.lifespan_context.changes.publish(event)
        return said("The change was told.")

    return answer


async def _reconnection(context, params):
    if context.close_sse_stream is not None:
        await context.close_sse_stream()
    return said("The stream may have been closed meanwhile.")


TOOLS = {
    **tool("test_missing_capability", _missing_capability),
    **tool("test_streaming_elicitation", ROUNDS["test_input_required_result_elicitation"].answer),
    **tool("test_logging_tool", CONTENT["test_simple_text"].answer),
    **tool("test_trigger_tool_change", _telling(ToolsListChanged())),
    **tool("test_trigger_prompt_change", _telling(PromptsListChanged())),
    **tool("test_reconnection", _reconnection),
    **tool("test_custom_header", _header, _HEADER),
}
