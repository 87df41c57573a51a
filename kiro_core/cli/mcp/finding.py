"""Finds the MCP servers of a session as a desk does, without opening one."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from anyio import to_thread

from kiro_core.agentconfig import all_agents, resolve
from kiro_core.cli.sources import open_sources
from kiro_core.errors import AgentNotFound, McpFailed
from kiro_core.explain import near_miss
from kiro_core.mcp_servers import Merged, SessionServer, merged, read_registry
from kiro_core.registry import Registry
from kiro_core.settings import Settings, kiro_home
from kiro_core.trust import Trust
from kiro_core.types import AgentConfig


async def find_servers(loaded: tuple[Settings, Registry], agent: str, cwd: Path, *, required: bool = True) -> Merged:
    """The servers of a session in `cwd` with that agent configuration, or with the one that nobody names.

    Raises:
        AgentNotFound: no configuration has the name, and it is `required`: else `kiro_default` stands in.
        SettingsError, UnknownName, PluginError: an agent source cannot be opened.

    """
    settings, _ = loaded
    home = kiro_home(os.environ)
    config = await _config(loaded, agent, cwd, home, required=required)
    registry = None
    if settings.mcp_registry:
        registry = await read_registry(settings.mcp_registry, home, settings.limits.control_s)
    trusted = Trust(home).trusted
    return await to_thread.run_sync(partial(merged, (), config, cwd, home, trusted, registry, dict(os.environ)))


def server_called(name: str, found: Merged) -> SessionServer:
    """The server of that name.

    Raises:
        McpFailed: the session gets none of that name, and why.

    """
    for server in found.servers:
        if server.name == name:
            return server
    for left in found.left_out:
        if left.name == name:
            raise McpFailed(
                f"The MCP server '{name}' is left out: {left.reason}.",
                hint=f"It is named in {left.origin}.",
                server=name,
            )
    names = [server.name for server in found.servers]
    raise McpFailed(
        f"No MCP server is called {name!r}{near_miss(name, names)}",
        hint=f"Available: {', '.join(sorted(names)) or 'none'}.",
        server=name,
    )


async def _config(
    loaded: tuple[Settings, Registry], agent: str, cwd: Path, home: Path, *, required: bool
) -> AgentConfig:
    settings, registry = loaded
    async with open_sources(settings, registry) as sources:
        resolved = await resolve(sources, cwd, requested=agent, default=settings.agent, home=home)
        if resolved.found or not (agent and required):
            return resolved.config
        known = sorted(summary.name for summary in (await all_agents(sources, cwd))[0])
        sentence = f"No agent configuration is called {agent!r}{near_miss(agent, known)}"
        raise AgentNotFound(sentence, hint=f"Available: {', '.join(known)}.", agent=agent)
