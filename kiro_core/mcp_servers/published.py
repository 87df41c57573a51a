"""A server as the official MCP registry publishes it becomes an entry of `mcp.json`.

The format is that of https://github.com/modelcontextprotocol/registry (`server.json`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kiro_core.agentconfig.reading import Unreadable

_REMOTE = {"streamable-http": "http", "http": "http", "sse": "sse"}
_RUNTIMES = {"npm": "npx", "pypi": "uvx", "oci": "docker", "nuget": "dnx"}
_OF_AN_ENTRY = frozenset({"type", "command", "args", "env", "url", "headers", "timeout", "oauth", "oauthScopes"})


def servers_of(registry: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The entries by name; of one that nobody here can start only the name.

    An item of `servers` is `{"server": {name, remotes, packages}}`, the same without the object around it, or
    `{name, ...}` with the fields of an entry of `mcp.json`.

    Raises:
        Unreadable: it is no registry.

    """
    items = registry.get("servers")
    if not isinstance(items, list):
        raise Unreadable("has no list `servers`")
    servers = {}
    for item in items:
        server = item.get("server", item) if isinstance(item, dict) else None
        if not isinstance(server, dict) or not isinstance(name := server.get("name"), str) or not name:
            raise Unreadable("has a server without a name")
        servers[name] = _entry(server)
    return servers


def _entry(server: Mapping[str, Any]) -> dict[str, Any]:
    for remote in _objects(server, "remotes"):
        if (kind := _REMOTE.get(str(remote.get("type")))) and isinstance(url := remote.get("url"), str):
            return {"type": kind, "url": url, "headers": _values(remote, "headers")}
    for package in _objects(server, "packages"):
        if entry := _packaged(package):
            return entry
    return {key: value for key, value in server.items() if key in _OF_AN_ENTRY}


def _packaged(package: Mapping[str, Any]) -> dict[str, Any]:
    """How a package is started; `{}` where it is of a kind that no runtime here starts."""
    kind, name, version = (str(package.get(key) or "") for key in ("registryType", "identifier", "version"))
    program = _RUNTIMES.get(kind)
    transport = package.get("transport")
    if not program or not name or (isinstance(transport, dict) and transport.get("type", "stdio") != "stdio"):
        return {}
    env = _values(package, "environmentVariables")
    own = list(_arguments(package, "runtimeArguments"))
    match kind:
        case "npm":
            own = own or ["-y"]
        case "nuget":
            own = own or ["--yes"]
        case "oci":
            names = [str(one["name"]) for one in _objects(package, "environmentVariables") if one.get("name")]
            own = ["run", "-i", "--rm", *(word for each in names for word in ("-e", each)), *own]
    image = kind == "oci"
    versioned = f"{name}{':' if image else '@'}{version}" if version and not (image and ":" in name) else name
    rest = list(_arguments(package, "packageArguments"))
    return {"command": str(package.get("runtimeHint") or program), "args": [*own, versioned, *rest], "env": env}


def _arguments(package: Mapping[str, Any], key: str) -> Iterator[str]:
    """The words of a command line: a named argument is its name and its value."""
    for argument in _objects(package, key):
        value = argument.get("value", argument.get("default"))
        if argument.get("type") == "named" and argument.get("name"):
            yield str(argument["name"])
        if value is not None:
            yield str(value)


def _values(holder: Mapping[str, Any], key: str) -> dict[str, str]:
    """Variables or headers that have a value or a default; a user writes the others."""
    return {
        str(one["name"]): str(value)
        for one in _objects(holder, key)
        if one.get("name") and (value := one.get("value", one.get("default"))) is not None
    }


def _objects(holder: Mapping[str, Any], key: str) -> list[dict[str, Any]]:
    listed = holder.get(key)
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
