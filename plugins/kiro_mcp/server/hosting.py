"""Which host a request comes from: the one at the other end, one of several connections, or one without any."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from mcp.server import ServerRequestContext
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.requests import Request

from kiro_mcp.server.subscribing import Subscriber
from kiro_mcp.service import Service
from kiro_mcp.service.hosts import Host
from kiro_mcp.visits import Visits

MOST_CONNECTIONS = 1000
"""Connections over HTTP that are remembered, the longest unused is forgotten first."""

_SESSION_HEADER = "mcp-session-id"


class Connection:
    """A host, and which resources it watches."""

    def __init__(self, *, connected: bool) -> None:
        """Nothing is active and nothing watched."""
        self.host = Host(connected=connected)
        self.subscriber = Subscriber()


class Connections:
    """All hosts of one server; one that is gone over HTTP leaves what only it could use."""

    def __init__(self, service: Service) -> None:
        """Nobody has come."""
        self._service = service
        self._only = Connection(connected=True)
        self._stateless = Connection(connected=False)
        self._by_session: OrderedDict[str, Connection] = OrderedDict()

    def of(self, ctx: ServerRequestContext[Any, Any]) -> Connection:
        """Where a request comes from.

        HTTP has connections in the handshake era only; a stream of bytes is one by itself.
        """
        if not isinstance(ctx.request, Request):
            return self._only
        session = ctx.request.headers.get(_SESSION_HEADER, "")
        if not session or ctx.protocol_version in MODERN_PROTOCOL_VERSIONS:
            return self._stateless
        if session not in self._by_session:
            self._by_session[session] = Connection(connected=True)
            if (visits := Visits.of(ctx.request.scope)) is not None:
                visits.when_gone(session, self._forget)
        self._by_session.move_to_end(session)
        if len(self._by_session) > MOST_CONNECTIONS:
            self._forget(next(iter(self._by_session)))
        return self._by_session[session]

    def _forget(self, session: str) -> None:
        if (connection := self._by_session.pop(session, None)) is not None:
            connection.subscriber.close()
            self._service.leave(connection.host)
