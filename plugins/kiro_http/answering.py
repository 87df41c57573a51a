"""One request, one answer, and the connection ends: what health checks need of HTTP/1.1 (RFC 9112), by `h11`."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from http import HTTPStatus

import anyio
import h11
from anyio.abc import ByteStream

_LONGEST_HEAD = 8192
_METHODS = (b"GET", b"HEAD")


async def answer(stream: ByteStream, not_ready: Callable[[], str]) -> None:
    """Read a request and answer it; `not_ready` says why the desk takes no sessions, or `""`.

    Raises:
        anyio.BrokenResourceError, anyio.ClosedResourceError: nobody waits for the answer.

    """
    connection = h11.Connection(h11.SERVER, max_incomplete_event_size=_LONGEST_HEAD)
    try:
        request = await _request(stream, connection)
    except h11.RemoteProtocolError as error:
        status = HTTPStatus(error.error_status_hint)
        await stream.send(_response(connection, status, status.phrase))
        return
    if request is not None:
        status, text = _outcome(request, not_ready)
        await stream.send(_response(connection, status, text, headless=request.method == b"HEAD"))


async def _request(stream: ByteStream, connection: h11.Connection) -> h11.Request | None:
    """The head of a request, whose body nobody reads; None when there comes none."""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Request):
            return event
        if event is not h11.NEED_DATA:
            return None
        try:
            connection.receive_data(await stream.receive())
        except anyio.EndOfStream:
            connection.receive_data(b"")


def _outcome(request: h11.Request, not_ready: Callable[[], str]) -> tuple[HTTPStatus, str]:
    path = request.target.partition(b"?")[0]
    if path not in (b"/healthz", b"/readyz"):
        return HTTPStatus.NOT_FOUND, "There is /healthz and /readyz."
    if request.method not in _METHODS:
        return HTTPStatus.METHOD_NOT_ALLOWED, "It can be asked with GET and HEAD."
    reason = not_ready() if path == b"/readyz" else ""
    if reason:
        return HTTPStatus.SERVICE_UNAVAILABLE, reason
    return HTTPStatus.OK, "ready" if path == b"/readyz" else "alive"


def _response(connection: h11.Connection, status: HTTPStatus, text: str, *, headless: bool = False) -> bytes:
    body = f"{text}\n".encode()
    headers = {
        "Date": formatdate(usegmt=True),
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "Connection": "close",
    }
    if status is HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = b", ".join(_METHODS).decode()
    events = [h11.Response(status_code=status, headers=list(headers.items()), reason=status.phrase)]
    sent = [connection.send(event) for event in (*events, *([] if headless else [h11.Data(data=body)]))]
    return b"".join(part for part in (*sent, connection.send(h11.EndOfMessage())) if part)
