"""Where MCP listens for HTTP, and for whom: beyond this machine only behind something that encrypts."""

from __future__ import annotations

import socket
from ipaddress import ip_address

import anyio
from mcp.server.transport_security import TransportSecuritySettings

from kiro_core.errors import SettingsError
from kiro_mcp.options import McpOptions

_BACKLOG = 256
_IMPLIED = 80
"""The port that clients leave out."""


async def listening(options: McpOptions) -> socket.socket:
    """Listen at the address and port of the options.

    Raises:
        SettingsError: nobody can or may listen there.

    """
    try:
        found = await anyio.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, _, _, address = found[0]
        _check_reach(options, str(address[0]))
        listener = socket.socket(family, kind)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
            listener.listen(_BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        raise SettingsError(
            f"Nobody can listen at port {options.port} of {options.host}: {error.strerror}.",
            hint="Choose another host or port for MCP, or end what listens there.",
        ) from error
    return listener


def _check_reach(options: McpOptions, address: str) -> None:
    """Whoever reads along has the token, so that beyond this machine something has to encrypt."""
    if ip_address(address.partition("%")[0]).is_loopback:
        return
    if not options.behind_tls_proxy:
        raise SettingsError(
            f"MCP at {options.host} could be reached from other machines, and its token read on the way.",
            hint="Listen at 127.0.0.1, or put a proxy that speaks TLS in front and say behind_tls_proxy = true.",
        )
    if not options.allowed_hosts:
        raise SettingsError(
            f"MCP at {options.host} would answer nobody: it is not said what clients call it.",
            hint='Name it as clients do in `Host`, as in allowed_hosts = ["mcp.example.com"].',
        )


def callers(options: McpOptions, port: int) -> TransportSecuritySettings:
    """What a request's `Host` and `Origin` may be: a page of another site has neither (DNS rebinding)."""
    names = ["127.0.0.1", "localhost", "[::1]", bracketed(options.host)]
    here = [f"{name}:{port}" for name in names] + (names if port == _IMPLIED else [])
    return TransportSecuritySettings(
        allowed_hosts=[*here, *options.allowed_hosts],
        allowed_origins=[
            *(f"http://{name}" for name in here),
            *(f"https://{name}" for name in options.allowed_hosts),
        ],
    )


def bracketed(host: str) -> str:
    """A host as URLs have it."""
    return f"[{host}]" if ":" in host else host
