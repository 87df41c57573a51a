"""What a client is told of MCP servers that are not as a configuration wants them, so that none is missing silently."""

from __future__ import annotations

from kiro_core.mcp_servers.documents import FIELD
from kiro_core.mcp_servers.servers import LeftOut, Merged, SessionServer
from kiro_core.types import Notice, Problem

_BY_WILL = ("shadowed", "disabled")
"""Why a server is left out where somebody wanted just that."""

_WHOLE = ("", FIELD)
"""The field of a problem with a file, and not with one of its servers: those are told as left out."""


def notices_of(merged: Merged) -> list[Notice]:
    """The notices about the servers of a session, without any value.

    Kinds: "mcp_config_error" (`{path, field, error}`: a file or the registry cannot be used), "mcp_left_out"
    (`{serverName, origin, why, error}`), "mcp_untold" (`{serverName, fields}`: the agent cannot be told these).
    """
    return [
        *(_broken(problem) for problem in merged.problems if problem.field in _WHOLE),
        *(_left_out(one) for one in merged.left_out if one.why not in _BY_WILL),
        *(_untold(server) for server in merged.servers if server.untold),
    ]


def _broken(problem: Problem) -> Notice:
    details = {"path": str(problem.path), "field": problem.field, "error": problem.reason}
    return Notice("mcp_config_error", f"{problem}.", details=details)


def _left_out(one: LeftOut) -> Notice:
    details = {"serverName": one.name, "origin": one.origin, "why": one.why, "error": one.reason}
    sentence = f"The MCP server '{one.name}' ({one.origin}) is left out: {one.reason}."
    return Notice("mcp_left_out", sentence, details=details)


def _untold(server: SessionServer) -> Notice:
    fields = ", ".join(server.untold)
    sentence = f"Of the MCP server '{server.name}' ({server.origin}) no agent can be told: {fields}."
    return Notice(
        "mcp_untold", sentence, severity="info", details={"serverName": server.name, "fields": list(server.untold)}
    )
