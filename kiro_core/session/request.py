"""The opening request in the form that an agent can take; what it cannot take is named, never dropped in silence."""

from __future__ import annotations

from collections.abc import Set as AbstractSet
from typing import Any

from kiro_core.notices import without_wishes
from kiro_core.session.plan import Plan
from kiro_core.types import Notice


def for_agent(plan: Plan, abilities: AbstractSet[str]) -> tuple[dict[str, Any], list[Notice]]:
    """The params of the client's request for an agent with these abilities, and what the client has to be told."""
    params = without_wishes(plan.request.params)
    name = plan.engine.title or plan.engine.name
    notices: list[Notice] = []
    servers = []
    for server in (one.entry for one in plan.handed_servers):
        kind = server.get("type")
        if kind in ("http", "sse") and f"mcp-{kind}" not in abilities:
            sentence = f"The MCP server '{server['name']}' is left out: {name} takes no servers over {kind}."
            details = {"serverName": server["name"], "error": f"the engine takes no servers over {kind}"}
            notices.append(Notice("mcp_unsupported", sentence, details=details))
        else:
            servers.append(server)
    params["mcpServers"] = servers
    if "systemPrompt" in abilities and not plan.by_mode and plan.instructions:
        # ACP "Client system prompt", unstable: where an agent has a place of its own for it.
        params["systemPrompt"] = {"mode": "append", "content": [{"type": "text", "text": plan.instructions}]}
    roots = params.pop("additionalDirectories", None)
    if roots and "additionalDirectories" in abilities:
        params["additionalDirectories"] = roots
    elif roots:
        sentence = f"{name} knows only the session's folder, not the additional ones: {', '.join(roots)}."
        notices.append(Notice("directories_unsupported", sentence, details={"additionalDirectories": roots}))
    return params, notices
