"""Who connects over HTTP and has not shown the token yet: few at a time, so that they keep nobody else out."""

from __future__ import annotations

from typing import Any, Protocol

import h11
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_MOST = 32
_HEAD_S = 2.0


class _Transport(Protocol):
    def close(self) -> None: ...


class _Timer(Protocol):
    def cancel(self) -> None: ...


class Strangers:
    """The connections that have sent no good request; where there are too many, the first to come has to go."""

    def __init__(self) -> None:
        """Nobody has come."""
        self._all: dict[Any, _Transport] = {}

    def came(self, client: Any, transport: _Transport) -> None:
        """Somebody has connected."""
        self._all[client] = transport
        if len(self._all) > _MOST:
            self._all.pop(next(iter(self._all))).close()

    def left(self, client: Any) -> None:
        """Whoever that was is a stranger no more, or has gone."""
        self._all.pop(client, None)

    def recognising(self, app: ASGIApp) -> ASGIApp:
        """The application to which only good requests come."""

        async def recognised(scope: Scope, receive: Receive, send: Send) -> None:
            self.left(scope["client"])
            await app(scope, receive, send)

        return recognised


class Impatient(H11Protocol):
    """Hangs up on who does not send the head of a request at once, for which uvicorn waits without an end."""

    def __init__(self, strangers: Strangers, **given: Any) -> None:
        """Be made by uvicorn, with what it gives."""
        super().__init__(**given)
        self._strangers = strangers
        self._late: _Timer | None = None

    def connection_made(self, transport: Any) -> None:
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._strangers.came(self.client, transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._wait_no_more()
        self._strangers.left(self.client)
        super().connection_lost(exc)

    def handle_events(self) -> None:
        """See `H11Protocol`: it is called whenever bytes have come, and when a response has gone out."""
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._wait_no_more()
        elif self.conn.trailing_data[0] and self._late is None:
            self._wait()

    def _wait(self) -> None:
        self._late = self.loop.call_later(_HEAD_S, self.transport.close)

    def _wait_no_more(self) -> None:
        if self._late is not None:
            self._late.cancel()
            self._late = None
