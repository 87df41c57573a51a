"""Which sessions are given the tools of a crew: by an MCP server of the desk's own, which only that session reaches."""

from __future__ import annotations

import hmac
import secrets
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from kiro_core.agentconfig.tools import canonical
from kiro_core.crew.shim import TOKEN
from kiro_core.mcp_servers import CREW, LeftOut, Merged, SessionServer
from kiro_core.types import AgentConfig, Notice

_TOOLS = frozenset({"session_management", "subagent", "summary"})
_SHIM = str(Path(__file__).with_name("shim.py"))

ForAgents = Literal["members", "all", "none"]


def named_by(config: AgentConfig) -> bool:
    """Whether an agent configuration names a tool of a crew in its list `tools`."""
    tools = config.fields.get("tools") or ()
    names = [tools] if isinstance(tools, str) else tools
    return any(canonical(name) in _TOOLS or f"{name}/".startswith(f"@{CREW}/") for name in names)


def crew_server(socket: str) -> SessionServer:
    """A server for one session, for as long as it lasts, at a desk that listens at `socket`."""
    arguments = ["-I", "-S", _SHIM, socket]
    token = {"name": TOKEN, "value": secrets.token_urlsafe(32)}
    return SessionServer(CREW, CREW, {"name": CREW, "command": sys.executable, "args": arguments, "env": [token]})


def is_token(token: str, servers: Sequence[SessionServer]) -> bool:
    """Whether the token is that of the crew's server among those of a session."""
    ours = next((server for server in servers if server.origin == CREW), None)
    if ours is None:
        return False
    return hmac.compare_digest(ours.entry["env"][0]["value"].encode(), token.encode(errors="replace"))


def with_crew(merged: Merged, server: SessionServer) -> Merged:
    """The servers of a session with the crew's; what somebody else has named so counts instead."""
    other = next((one for one in merged.servers if one.name == CREW), None)
    if other is not None:
        left = LeftOut(CREW, CREW, "shadowed", f"the one of {other.origin} counts")
        return replace(merged, left_out=[*merged.left_out, left])
    if any((one.name, one.why) == (CREW, "disabled") for one in merged.left_out):
        return merged
    return replace(merged, servers=[*merged.servers, server])


def excluded_by(config: AgentConfig) -> bool:
    """Whether an agent configuration takes all tools of the server away."""
    tools = config.fields.get("excludedTools") or ()
    return not {f"@{CREW}", f"@{CREW}/*"}.isdisjoint([tools] if isinstance(tools, str) else tools)


def has_crew(merged: Merged) -> bool:
    """Whether the crew's server is among those of a session."""
    return any(server.origin == CREW for server in merged.servers)


def shadowed(merged: Merged) -> list[Notice]:
    """What to tell of a session that was to have the tools of a crew, and has another server of that name."""
    return [
        unavailable(f"the MCP server '{CREW}' is another one, since {one.reason}")
        for one in merged.left_out
        if one.origin == CREW
    ]


def unavailable(reason: str, hint: str = "") -> Notice:
    """What to tell of a session that was to have the tools of a crew; `reason` is the end of a sentence."""
    reason = reason.removesuffix(".")
    sentence = f"The agent has no tools of a crew: {reason}. {hint}".rstrip()
    return Notice("crew_unavailable", sentence, details={"reason": reason})
