"""What each side says of itself in `initialize`, as constants: nothing has to be loaded to answer it."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from kiro_core.errors import RpcError
from kiro_core.types import PeerInfo

PROTOCOL_VERSION = 1

_CAPABILITIES = {
    "loadSession": True,
    "promptCapabilities": {"image": True, "audio": False, "embeddedContext": False},
    "mcpCapabilities": {"http": False, "sse": False},
    "sessionCapabilities": {"list": {}, "close": {}},
}


def _ourselves() -> dict[str, str]:
    return {"name": "kiro_core", "title": "Kiro Core", "version": version("kiro-core")}


def to_client() -> dict[str, Any]:
    """Our answer to a client, whatever version it asked for (ACP "Initialization": answer with our latest)."""
    return {
        "protocolVersion": PROTOCOL_VERSION,
        "agentInfo": _ourselves(),
        "agentCapabilities": _CAPABILITIES,
        "authMethods": [],
    }


def to_agent() -> dict[str, Any]:
    """Our introduction to an agent: we offer it no files and no terminals."""
    return {
        "protocolVersion": PROTOCOL_VERSION,
        "clientInfo": _ourselves(),
        "clientCapabilities": {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False},
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
    abilities = set(_offered(said.get("sessionCapabilities")))
    if said.get("loadSession") is True:
        abilities.add("load")
    return _info(answer.get("agentInfo"), abilities, said)


def client_info(params: dict[str, Any]) -> PeerInfo:
    """What a client said of itself; absent, null or false means that it does not offer something."""
    said = _object(params.get("clientCapabilities"))
    abilities = set(_offered(said.get("session")))
    return _info(params.get("clientInfo"), abilities, said)


def _info(about: Any, abilities: set[str], raw: dict[str, Any]) -> PeerInfo:
    about = _object(about)
    return PeerInfo(str(about.get("name", "")), str(about.get("version", "")), frozenset(abilities), raw)


def _offered(capabilities: Any) -> list[str]:
    return [name for name, value in _object(capabilities).items() if value not in (None, False)]


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
