"""Shows which MCP servers a session gets and from where, tries one, and tells what became of those of a session."""

from __future__ import annotations

from pathlib import Path

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import agent_names, session_ids
from kiro_core.cli.options import Given, command, folder, named

_AGENT = named("--agent", "NAME", "As for a session with this agent configuration.", agent_names)


@click.group(epilog=example("kiro-core mcp list", "kiro-core mcp test github", "kiro-core mcp status"))
def mcp() -> None:
    """List and try MCP servers, and tell how those of a session are."""


@mcp.command("list", epilog=example("kiro-core mcp list", "kiro-core mcp list --agent review --json"))
@click.option("--json", "as_json", is_flag=True, help="Print an object with servers, those left out, and problems.")
@_AGENT
@folder("As for a session in this folder.")
@command
def list_(given: Given, *, as_json: bool, agent: str, cwd: Path | None) -> int:
    """List the MCP servers that a session gets, and those that are left out with the reason."""
    from kiro_core.cli.mcp.listing import list_servers

    return list_servers(given, agent, cwd or Path.cwd(), as_json=as_json)


@mcp.command("test", epilog=example("kiro-core mcp test github", "kiro-core mcp test github --json"))
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@_AGENT
@folder("As for a session in this folder.")
@command
def test_(given: Given, *, name: str, as_json: bool, agent: str, cwd: Path | None) -> int:
    """Start an MCP server as a session would, list its tools, and end it.

    The exit code is 3 when it does not start. It needs the SDK: pip install 'kiro-core[mcp]'.
    """
    from kiro_core.cli.mcp.testing import show_tried

    return show_tried(given, name, agent, cwd or Path.cwd(), as_json=as_json)


@mcp.command(epilog=example("kiro-core mcp status", "kiro-core mcp status 3f2a --json"))
@click.argument("session", metavar="[SESSION]", required=False, shell_complete=session_ids)
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@folder("Of the newest session of this folder, where no SESSION is named.")
@command
def status(given: Given, *, session: str | None, as_json: bool, cwd: Path | None) -> int:
    """Tell what became of the MCP servers of a session, by its record; the beginning of its id is enough."""
    from kiro_core.cli.mcp.states import show_states

    return show_states(given, session or "", cwd or Path.cwd(), as_json=as_json)
