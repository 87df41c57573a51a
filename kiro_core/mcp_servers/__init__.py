"""Which MCP servers a session gets, from every place that may name one."""

from kiro_core.mcp_servers.allowed import McpRegistry, read_registry
from kiro_core.mcp_servers.documents import workspace_document
from kiro_core.mcp_servers.merging import merged
from kiro_core.mcp_servers.servers import CLIENT, CREW, LeftOut, Merged, SessionServer
from kiro_core.mcp_servers.telling import notices_of

__all__ = [
    "CLIENT",
    "CREW",
    "LeftOut",
    "McpRegistry",
    "Merged",
    "SessionServer",
    "merged",
    "notices_of",
    "read_registry",
    "workspace_document",
]
