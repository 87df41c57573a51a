"""What stands in front of MCP over HTTP: the token, a bounded wait for each request, and an end for all of them."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import anyio
from starlette.datastructures import Headers
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kiro_mcp.passage import Passage
from kiro_mcp.visits import Visits

PATH = "/mcp"
LARGEST_BODY = 4 * 1024 * 1024
"""Bytes of a request; the SDK's own bound."""

_SESSION = "mcp-session-id"
_BODY_S = 30.0
_ENDED_S = 5.0


class Gate:
    """An ASGI application in front of another: who has the token passes, at `/mcp`.

    `end` ends what it has let in, and `visits` knows which connections are still there.
    """

    def __init__(self, app: ASGIApp, token: str, idle_s: float) -> None:
        """Let requests with this token through to `app`, which drops connections that ask nothing for `idle_s`."""
        self.visits = Visits(idle_s)
        self._app = app
        self._token = token.encode()
        self._open: dict[anyio.CancelScope, bool] = {}
        self._ending = False
        self._left = anyio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            return
        passage = Passage(send)
        headers = Headers(scope=scope)
        with self._passing(_only_listens(scope["method"], headers)) as let_in:
            answer = self._refusal(scope["path"], headers)
            if answer is None:
                body = await _body(receive)
                if isinstance(body, bytes):
                    await self._pass(headers.get(_SESSION, ""), scope, _again(body, receive), passage)
                    return
                answer = _refused(body)
            await answer(scope, receive, passage.send)
        if let_in.cancelled_caught and not passage.begun:
            await _refused(HTTPStatus.SERVICE_UNAVAILABLE)(scope, receive, send)
        elif let_in.cancelled_caught:
            await passage.finish()

    async def _pass(self, session: str, scope: Scope, receive: Receive, passage: Passage) -> None:
        with self.visits.visit(session, scope):
            await self._app(scope, receive, passage.send)
        if scope["method"] == "DELETE" and passage.status == HTTPStatus.OK:
            self.visits.leave(session)

    @contextmanager
    def _passing(self, listens: bool) -> Iterator[anyio.CancelScope]:  # noqa: FBT001 - private, with one caller
        with anyio.CancelScope() as let_in:
            self._open[let_in] = listens
            try:
                yield let_in
            finally:
                del self._open[let_in]
                if self._ending and not self._open:
                    self._left.set()

    def _refusal(self, path: str, headers: Headers) -> Response | None:
        if path != PATH:
            return _refused(HTTPStatus.NOT_FOUND)
        scheme, _, given = headers.get("authorization", "").partition(" ")
        right = hmac.compare_digest(given.strip().encode("latin-1"), self._token)
        if not right or scheme.lower() != "bearer":
            return _unauthorized("invalid_token" if scheme else "")
        return _refused(HTTPStatus.SERVICE_UNAVAILABLE) if self._ending else None

    async def end(self, grace_s: float) -> None:
        """Let nobody in any more, end the streams that are only listened to, and the rest after this time."""
        self._ending = True
        for let_in in [let_in for let_in, listens in self._open.items() if listens]:
            let_in.cancel()
        for patience_s in (grace_s, _ENDED_S):
            if self._open:
                with anyio.move_on_after(patience_s):
                    await self._left.wait()
            for let_in in list(self._open):
                let_in.cancel()


def _only_listens(method: str, headers: Headers) -> bool:
    """Whether it is a stream without an end: of the handshake era, or of 2026-07-28 (which wants the header)."""
    return method == "GET" or headers.get("mcp-method") == "subscriptions/listen"


async def _body(receive: Receive) -> bytes | HTTPStatus:
    """All of a request's body, or why it is not taken; one that is too large is read, or its answer would be lost."""
    body, size = bytearray(), 0
    more = True
    with anyio.move_on_after(_BODY_S):
        while more:
            message = await receive()
            part = message.get("body", b"")
            size += len(part)
            body += part if size <= LARGEST_BODY else b""
            more = message.get("more_body", False)
    if more:
        return HTTPStatus.REQUEST_TIMEOUT
    return bytes(body) if size <= LARGEST_BODY else HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def _again(body: bytes, receive: Receive) -> Receive:
    """Hand out a body that was read, and then what comes behind it."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


def _unauthorized(error: str) -> Response:
    """RFC 6750 section 3: who sent no token is told no error."""
    challenge = 'Bearer realm="kiro-core"' + (f', error="{error}"' if error else "")
    told = {
        "error": error or "unauthorized",
        "error_description": "This server wants its token, as in `Authorization: Bearer TOKEN`.",
    }
    return JSONResponse(told, HTTPStatus.UNAUTHORIZED, headers={"WWW-Authenticate": challenge, "Connection": "close"})


def _refused(status: HTTPStatus) -> Response:
    return JSONResponse({"error": status.phrase}, status, headers={"Connection": "close"})
