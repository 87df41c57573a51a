"""Finds out whether an MCP server starts, in the way in which an agent would start it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from mcp import Client, MCPError
from mcp_types import CONNECTION_CLOSED, Implementation

from kiro_core.cli.mcp.talking import piped, reached
from kiro_core.errors import LaunchFailed, McpFailed, unwrapped
from kiro_core.explain import last_words
from kiro_core.mcp_servers import SessionServer
from kiro_core.ports import Launcher, Process
from kiro_core.types import Command
from kiro_core.version import __version__

_PAGES = 100
"""So many pages of tools are listed: a listing that never ends must not keep us."""

_LAST_WORDS_S = 1.0
_REFUSED = 400
_WANTS_LOGIN = (401, 403)
_LOGIN = "It wants a login: give it a header with a token, or let the agent program log in to it."


@dataclass(frozen=True, slots=True)
class Tried:
    """What a server said of itself: its own name and version, the protocol's version, names and words of its tools."""

    name: str
    version: str
    protocol: str
    tools: Sequence[tuple[str, str]]


async def try_server(server: SessionServer, launcher: Launcher, cwd: Path, timeout_s: float) -> Tried:
    """Start or reach a server, list its tools, and end it with all that it has started.

    Raises:
        McpFailed: it does not start, or has not listed its tools within `timeout_s` seconds.

    """
    if server.kind == "stdio":
        return await _started(server, launcher, cwd, timeout_s)
    return await _addressed(server, timeout_s)


async def _started(server: SessionServer, launcher: Launcher, cwd: Path, timeout_s: float) -> Tried:
    process: Process | None = None
    try:
        with unwrapped(), anyio.fail_after(timeout_s):
            async with launcher.launch(_command(server, cwd)) as process:
                return await _spoken(server, process)
    except TimeoutError as error:
        raise _late(server, timeout_s, _words(process)) from error
    except LaunchFailed as error:
        raise _failed(
            server, f"does not start: {str(error).rstrip('.')}", f"It is named in {server.origin}."
        ) from error
    except McpFailed:
        raise
    except Exception as error:
        raise _failed(server, _unasked(server, error), _words(process)) from error


async def _addressed(server: SessionServer, timeout_s: float) -> Tried:
    statuses: list[int] = []
    try:
        with unwrapped(), anyio.fail_after(timeout_s):
            return await _introduced(reached(server.entry, timeout_s, statuses))
    except TimeoutError as error:
        raise _late(server, timeout_s) from error
    except Exception as error:
        if statuses and statuses[-1] >= _REFUSED:
            hint = _LOGIN if statuses[-1] in _WANTS_LOGIN else ""
            raise _failed(server, f"answered with HTTP status {statuses[-1]}", hint) from error
        raise _failed(server, _unasked(server, error)) from error


async def _introduced(streams: AbstractAsyncContextManager[Any]) -> Tried:
    about = Implementation(name="kiro-core mcp test", version=__version__)
    async with Client(streams, client_info=about) as client:
        info, tools, cursor = client.server_info, [], None
        for _ in range(_PAGES):
            page = await client.list_tools(cursor=cursor)
            tools += [(tool.name, tool.description or "") for tool in page.tools]
            cursor = page.next_cursor
            if cursor is None:
                break
        return Tried(info.name if info else "", info.version if info else "", client.protocol_version, tools)


def _command(server: SessionServer, cwd: Path) -> Command:
    entry = server.entry
    return Command((entry["command"], *entry["args"]), str(cwd), {one["name"]: one["value"] for one in entry["env"]})


async def _spoken(server: SessionServer, process: Process) -> Tried:
    try:
        with unwrapped():
            return await _introduced(piped(process))
    except MCPError as error:
        if error.code != CONNECTION_CLOSED:
            raise
        # Its stdout has ended, and so has it, or soon: only that tells its status.
        with anyio.move_on_after(_LAST_WORDS_S):
            raise _failed(server, f"ended with {await process.wait()}", _words(process)) from error
        raise


def _unasked(server: SessionServer, error: Exception) -> str:
    """What went wrong in the words of the SDK and the network, without the address, which may hold a secret."""
    address, said = str(server.entry.get("url") or ""), str(error) or type(error).__name__
    return f"could not be asked: {(said.replace(address, 'its address') if address else said).rstrip('.')}"


def _words(process: Process | None) -> str:
    return last_words(process.stderr_tail()) if process is not None else ""


def _late(server: SessionServer, timeout_s: float, hint: str = "") -> McpFailed:
    return _failed(server, f"has not listed its tools within {timeout_s:g} s", hint)


def _failed(server: SessionServer, what: str, hint: str = "") -> McpFailed:
    return McpFailed(f"The MCP server '{server.name}' {what}.", hint=hint, server=server.name)
