"""Lists every MCP server that some place names: what a session gets, and why it does not get the others."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import anyio

from kiro_core.cli.agents.problems import problem_line, problem_object
from kiro_core.cli.failing import DONE
from kiro_core.cli.mcp.finding import find_servers
from kiro_core.cli.options import Given
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import show, tell
from kiro_core.mcp_servers import Merged, SessionServer


def list_servers(given: Given, agent: str, cwd: Path, *, as_json: bool) -> int:
    """List them, on lines or as an object.

    Raises:
        AgentNotFound, SettingsError, UnknownName, PluginError: see `find_servers`.

    """
    found = anyio.run(partial(find_servers, given.load(), agent, cwd), backend="asyncio")
    if as_json:
        show(json.dumps(_object(found), indent=2) + "\n")
        return DONE
    used = [(one.name, one.kind, "used", one.origin, _more(one)) for one in found.servers]
    others = [(one.name, "", one.why, one.origin, one.reason) for one in found.left_out]
    print_table(("server", "kind", "state", "origin", "about"), [*used, *others])
    for problem in found.problems:
        tell(f"problem: {problem_line(problem)}")
    if found.untrusted:
        tell(f"Nobody has agreed to {', '.join(one.origin for one in found.untrusted)}: kiro-core trust {cwd}")
    return DONE


def server_object(server: SessionServer) -> dict[str, Any]:
    """A server as JSON; of its environment and headers the names only, and of an address no query."""
    entry = server.entry
    about: dict[str, Any] = {"name": server.name, "kind": server.kind, "origin": server.origin}
    if server.kind == "stdio":
        about |= {"command": entry["command"], "env": [one["name"] for one in entry["env"]]}
    else:
        about |= {"url": entry["url"].partition("?")[0], "headers": [one["name"] for one in entry["headers"]]}
    lists = {"disabledTools": server.disabled_tools, "autoApprove": server.auto_approve, "untold": server.untold}
    return about | {name: list(names) for name, names in lists.items()}


def _object(found: Merged) -> dict[str, Any]:
    left = [{"name": one.name, "origin": one.origin, "why": one.why, "reason": one.reason} for one in found.left_out]
    return {
        "servers": [server_object(server) for server in found.servers],
        "left_out": left,
        "problems": [problem_object(problem) for problem in found.problems],
        "untrusted": [{"origin": one.origin, "starts": list(one.starts)} for one in found.untrusted],
    }


def _more(server: SessionServer) -> str:
    about = {
        "without": server.disabled_tools,
        "approved": server.auto_approve,
        "not told to agents": server.untold,
    }
    return "; ".join(f"{what}: {', '.join(names)}" for what, names in about.items() if names)
