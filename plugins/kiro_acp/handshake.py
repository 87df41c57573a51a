"""What each side says of itself in `initialize`: known without loading settings or plugins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kiro_core import __version__
from kiro_core.errors import RpcError
from kiro_core.types import PeerInfo

PROTOCOL_VERSION = 1

_CAPABILITIES = {
    "loadSession": True,
    "promptCapabilities": {"image": True, "audio": False, "embeddedContext": True},
    "mcpCapabilities": {"http": True, "sse": True},
    "sessionCapabilities": {"list": {}, "resume": {}, "close": {}, "delete": {}, "additionalDirectories": {}},
    "auth": {"logout": {}},
}
"""The same whatever agent program a session will have: what one cannot take, the desk translates or names."""


def _ourselves() -> dict[str, str]:
    return {"name": "kiro_core", "title": "Kiro Core", "version": __version__}


def to_client(logins: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Our answer to a client, whatever version it asked for (ACP "Initialization": answer with our latest)."""
    return {
        "protocolVersion": PROTOCOL_VERSION,
        "agentInfo": _ourselves(),
        "agentCapabilities": _CAPABILITIES,
        "authMethods": list(logins),
    }


def to_agent(capabilities: Mapping[str, Any]) -> dict[str, Any]:
    """Our introduction to an agent, with what its client is ready to serve."""
    return {
        "protocolVersion": PROTOCOL_VERSION,
        "clientInfo": _ourselves(),
        "clientCapabilities": capabilities,
    }


def agent_info(answer: dict[str, Any]) -> PeerInfo:
    """What an agent said of itself.

    Raises:
        RpcError: it speaks another version.

    """
    if answer.get("protocolVersion") != PROTOCOL_VERSION:
        spoken = answer.get("protocolVersion")
        raise RpcError(-32603, f"The agent speaks version {spoken} of the protocol, not {PROTOCOL_VERSION}.")
    said = _object(answer.get("agentCapabilities"))
    abilities = {
        *_offered(said.get("sessionCapabilities")),
        *_offered(said.get("promptCapabilities")),
        *_offered(said.get("auth")),
        *(f"mcp-{name}" for name in _offered(said.get("mcpCapabilities"))),
    }
    if said.get("loadSession") is True:
        abilities.add("load")
    methods = answer.get("authMethods")
    logins = [method for method in methods if isinstance(method, dict)] if isinstance(methods, list) else []
    return _info(answer.get("agentInfo"), abilities, said, logins)


def client_info(params: dict[str, Any]) -> PeerInfo:
    """What a client said of itself; absent, null or false means that it does not offer something."""
    said = _object(params.get("clientCapabilities"))
    named = {"readTextFile": "read", "writeTextFile": "write"}
    abilities = {
        *_offered(said.get("session")),
        *(named.get(name, name) for name in _offered(said.get("fs"))),
        *(f"elicitation-{name}" for name in _offered(said.get("elicitation"))),
        *(f"login-{name}" for name in _offered(said.get("auth"))),
        *(name for name in _offered(said) if name == "terminal"),
    }
    return _info(params.get("clientInfo"), abilities, said)


def _info(about: Any, abilities: set[str], raw: dict[str, Any], logins: Sequence[Mapping[str, Any]] = ()) -> PeerInfo:
    about = _object(about)
    return PeerInfo(str(about.get("name", "")), str(about.get("version", "")), frozenset(abilities), raw, logins)


def _offered(capabilities: Any) -> list[str]:
    return [name for name, value in _object(capabilities).items() if value not in (None, False)]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
