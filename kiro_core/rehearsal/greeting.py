"""The answer to `initialize`: what the agent says of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiro_core.rehearsal.answers import Answer
from kiro_core.rehearsal.profile import Profile
from kiro_core.rehearsal.wire import Wire

_PROMPT = {"image": "image", "audio": "audio", "embeddedContext": "embedded"}
_MCP = {"http": "mcp-http", "sse": "mcp-sse"}
_SESSION = {name: name for name in ("list", "resume", "close", "delete")} | {"additionalDirectories": "directories"}


def greeting(wire: Wire, profile: Profile, logins: list[Mapping[str, Any]]) -> Answer:
    """ACP's `InitializeResponse` for this client."""
    has = profile.has
    capabilities = {
        "loadSession": has("load"),
        "promptCapabilities": {name: has(feature) for name, feature in _PROMPT.items()},
        "mcpCapabilities": {name: has(feature) for name, feature in _MCP.items()},
        "sessionCapabilities": {name: {} for name, feature in _SESSION.items() if has(feature)},
    }
    if has("logout"):
        capabilities["auth"] = {"logout": {}}
    asked = wire.client.get("protocolVersion")
    return {
        "protocolVersion": asked if has("echo-version") and asked is not None else 1,
        "agentInfo": dict(profile.info),
        "agentCapabilities": capabilities,
        "authMethods": logins,
    }
