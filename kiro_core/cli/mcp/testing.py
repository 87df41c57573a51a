"""Tries MCP servers for a person or for a run, where the SDK is installed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import anyio

from kiro_core.cli.failing import DONE
from kiro_core.cli.mcp.finding import find_servers, server_called
from kiro_core.cli.options import Given
from kiro_core.cli.progress import progress
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import one_line, show
from kiro_core.errors import McpFailed
from kiro_core.mcp_servers import SessionServer
from kiro_core.registry import Registry
from kiro_core.settings import Settings

if TYPE_CHECKING:
    from kiro_core.cli.mcp.trying import Tried


def show_tried(given: Given, name: str, agent: str, cwd: Path, *, as_json: bool) -> int:
    """Try the server of that name, and show what it says of itself.

    Raises:
        McpFailed: a session gets none of that name, it does not start, or the SDK is not installed.
        AgentNotFound, SettingsError, UnknownName, PluginError: see `find_servers`.

    """

    async def asked() -> tuple[SessionServer, Tried]:
        loaded = given.load()
        server = server_called(name, await find_servers(loaded, agent, cwd))
        return server, (await try_all(loaded, [server], cwd))[0]

    server, tried = anyio.run(asked, backend="asyncio")
    if as_json:
        tools = [{"name": tool, "description": text} for tool, text in tried.tools]
        show(
            json.dumps({"server": server.name, "origin": server.origin, **asdict(tried), "tools": tools}, indent=2)
            + "\n"
        )
        return DONE
    called = " ".join(part for part in (tried.name, tried.version) if part) or "a server without a name"
    show(one_line(f"{server.name}: {called}, MCP {tried.protocol}, from {server.origin}") + "\n")
    print_table(("tool", "description"), [(tool, text.partition("\n")[0]) for tool, text in tried.tools])
    return DONE


async def try_all(loaded: tuple[Settings, Registry], servers: Sequence[SessionServer], cwd: Path) -> Sequence[Tried]:
    """Try servers one after the other, with the launcher of the settings.

    Raises:
        McpFailed: one does not start, or the SDK is not installed.

    """
    try:
        from kiro_core.cli.mcp.trying import try_server
    except ModuleNotFoundError as error:
        raise McpFailed(
            "MCP servers cannot be tried, since the SDK of MCP is not installed.",
            hint="Install it: pip install 'kiro-core[mcp]'",
        ) from error
    settings, registry = loaded
    found = []
    async with registry.launchers.open(settings.launcher, settings.limits.backends) as launcher:
        for server in servers:
            async with progress(f"starting {server.name}"):
                found.append(await try_server(server, launcher, cwd, settings.limits.start_s))
    return found
