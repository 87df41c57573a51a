"""MCP in both directions: serves hosts of the protocol, and shows, tries and tells of the servers of sessions."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import click

from kiro_core.cli.commands import example
from kiro_core.cli.completing import agent_names, session_ids
from kiro_core.cli.options import Given, choosing, command, folder, named, sharing, trusting

_AGENT = named("--agent", "NAME", "As for a session with this agent configuration.", agent_names)


_PORT = 8383
"""Where hosts find us over HTTP when nobody says anything else."""


@click.group(epilog=example("kiro-core mcp serve", "kiro-core mcp list", "kiro-core mcp test github"))
def mcp() -> None:
    """Serve MCP hosts; list and try MCP servers."""


@mcp.command(epilog=example("kiro-core mcp serve", "kiro-core mcp serve --http", "kiro-core mcp serve --tools core"))
@click.option("--http", is_flag=True, help=f"Serve any number of hosts over HTTP, at port {_PORT} of this machine.")
@named("--host", "ADDRESS", "Listen at this address, with --http.")
@click.option("--port", type=click.IntRange(0, 65535), help="Listen at this port, with --http; 0 takes a free one.")
@click.option(
    "--tools", type=click.Choice(["all", "core"]), help="Offer all tools, or the eight that are needed daily."
)
@folder("Where sessions work that name no folder, instead of this one.")
@choosing
@command
@sharing
@trusting
def serve(given: Given, *, http: bool, agent: str, engine: str, cwd: Path | None, **options: Any) -> int:
    """Serve sessions as tools to an MCP host: over stdin and stdout, or with --http to any number of them.

    It ends with all its sessions at the end of stdin or by a signal. Over HTTP a host needs the token of a file
    that is told when it starts. Where a desk is served (`kiro-core serve`), new sessions are there, and stay there.
    It needs the SDK: pip install 'kiro-core[mcp]'.

    Exit codes: 0 the host has left, or with --http it was asked to end, 1 failure, 2 usage or wrong settings, 4 the
    named agent is missing, 128 and its number a signal.
    """
    if not http and (options["host"] or options["port"] is not None):
        raise click.UsageError("--host and --port are for --http.")
    import anyio

    from kiro_core.cli.mcp.aliases import aliases
    from kiro_core.cli.mcp.serving import serve_hosts
    from kiro_core.settings.layers import Value

    written = {**options, "host": options["host"] or None, "working_directory": str(cwd) if cwd else None}
    defaults = dict(aliases(os.environ))
    if http:
        defaults["mcp", "port"] = Value(_PORT, "argument --http")
    given = replace(given, changes=_with_options(given.changes, written), defaults=defaults)
    return anyio.run(partial(serve_hosts, given, {"agent": agent, "engine": engine}), backend="asyncio")


def _with_options(changes: Mapping[str, Any], options: Mapping[str, Any]) -> dict[str, Any]:
    """The changes of `--set`, and over them the options of the setting `mcp` that have options of their own here."""
    given = {name: value for name, value in options.items() if value is not None}
    there = changes.get("mcp", {})
    there = there if isinstance(there, Mapping) else {"use": there}
    return {**changes, "mcp": {**there, **given}} if given else dict(changes)


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
