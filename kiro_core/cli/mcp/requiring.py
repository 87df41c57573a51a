"""Makes sure that the MCP servers which a run cannot do without are there, before its prompt is sent."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

from kiro_core.cli.mcp.finding import find_servers, server_called
from kiro_core.cli.mcp.testing import try_all
from kiro_core.ports import Desk
from kiro_core.registry import Registry
from kiro_core.settings import Settings


async def require(
    loaded: tuple[Settings, Registry], names: AbstractSet[str], desk: Desk, about: Mapping[str, Any]
) -> None:
    """Find the servers of the session that `about` names (see `Opened`), `*` for all that it gets, and try each.

    An engine that reports how they start has tried them better, and tells it by notices.

    Raises:
        McpFailed: the session gets none of such a name, or one does not start.

    """
    info = await desk.info(about["sessionId"])
    cwd = Path(info.cwd)
    found = await find_servers(loaded, info.agent, cwd, required=False)
    servers = [server_called(name, found) for name in sorted(names - {"*"})]
    if "*" in names:
        servers = list(found.servers)
    reporting = {engine.name for engine in desk.engines() if engine.reports_mcp}
    if servers and about["engine"] not in reporting:
        await try_all(loaded, servers, cwd)
