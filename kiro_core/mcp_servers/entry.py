"""One entry of `mcpServers` becomes what ACP carries, or the reason why it cannot."""

from __future__ import annotations

import ipaddress
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from kiro_core.agentconfig.format import McpServer
from kiro_core.explain import dotted
from kiro_core.mcp_servers.expanding import Unusable, expanded
from kiro_core.mcp_servers.servers import SessionServer

_COMMON = frozenset({"type", "disabled", "disabledTools", "autoApprove"})
_TOLD = {"stdio": _COMMON | {"command", "args", "env"}, "http": _COMMON | {"url", "headers"}}
_KINDS = {
    "stdio": "stdio",
    "local": "stdio",
    "http": "http",
    "streamable-http": "http",
    "streamableHttp": "http",
    "sse": "sse",
}
"""What people write as `type`, in Kiro's files, in other programs' and in registries."""


def session_server(
    name: str, origin: str, written: Mapping[str, Any], cwd: Path, environ: Mapping[str, str]
) -> SessionServer:
    """The server that an entry describes, with the variables of `environ` in it.

    Raises:
        Unusable: it cannot be used, and why.

    """
    try:
        server = McpServer.model_validate(expanded(dict(written), environ))
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False, include_input=False)[0]
        reason = wrong["msg"].removeprefix("Value error, ")
        raise Unusable(dotted(map(str, wrong["loc"])), reason[:1].lower() + reason[1:]) from None
    kind = _kind(server)
    entry = _local(name, server, cwd, environ) if kind == "stdio" else _remote(name, kind, server)
    told = _TOLD["stdio" if kind == "stdio" else "http"]
    return SessionServer(
        name,
        origin,
        entry,
        disabled_tools=tuple(server.disabled_tools),
        auto_approve=tuple(server.auto_approve),
        untold=tuple(sorted(set(written) - told)),
    )


def _kind(server: McpServer) -> str:
    if server.type is not None and server.type not in _KINDS:
        raise Unusable("type", "is none of stdio, http, sse and registry")
    if server.command and server.url:
        raise Unusable("", "has a command and a url: only one of them can be meant")
    kind = _KINDS[server.type or ("http" if server.url else "stdio")]
    needed = "command" if kind == "stdio" else "url"
    if not getattr(server, needed):
        raise Unusable(needed, "is missing" if server.type else "is missing, and so is a url")
    return kind


def _local(name: str, server: McpServer, cwd: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    texts = {"command": [str(server.command)], "args": server.args, "env": [*server.env, *server.env.values()]}
    for field, values in texts.items():
        if any("\0" in text for text in values):
            raise Unusable(field, "has a null character, which no program can be given")
    command = _program(str(server.command), cwd, {**environ, **server.env})
    return {"name": name, "command": command, "args": list(server.args), "env": _pairs(server.env)}


def _program(written: str, cwd: Path, environ: Mapping[str, str]) -> str:
    """The absolute path that ACP asks for; what is not found stays as written, for the agent to complain of."""
    name = os.path.expanduser(written)  # noqa: PTH111 - pathlib raises for an unknown user
    wanted = os.path.join(cwd, name) if os.sep in name else name  # noqa: PTH118 - a name without a slash stays one
    found = shutil.which(wanted, path=environ.get("PATH", os.defpath))
    return os.path.abspath(found) if found else name  # noqa: PTH100 - a `PATH` may have relative folders


def _remote(name: str, kind: str, server: McpServer) -> dict[str, Any]:
    try:
        parts = urlsplit(str(server.url))
        host = parts.hostname or ""
    except ValueError:
        raise Unusable("url", "is no address") from None
    if not host or parts.scheme not in ("http", "https"):
        raise Unusable("url", "is no address that begins with https://")
    if parts.scheme == "http" and not _is_local(host):
        raise Unusable("url", "begins with http://, which is for this machine only: use https://")
    return {"type": kind, "name": name, "url": server.url, "headers": _pairs(server.headers)}


def _is_local(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _pairs(table: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in table.items()]
