"""Carry one message as the bytes that arrived, with its head read and the rest decoded on demand."""

from __future__ import annotations

import re
from typing import Any

from kiro_core.frames.codec import decode, encode
from kiro_core.frames.head import Head, peek
from kiro_core.frames.splice import spliced, text_at

_KEPT_BYTES = 4 * 1024 * 1024
"""A larger message is decoded again each time, which takes longer, instead of being there twice all the time."""

_USUAL_UPDATE = re.compile(rb'\{"jsonrpc": ?"2\.0", ?"method": ?"[^"\\]*", ?"params": ?\{"sessionId": ?"([^"\\]*)"')


class Frame:
    """One JSON-RPC message: its line as received, and the head that routing needs.

    `raw` has no newline. `id` is the JSON text of the id (`b"7"`, `b'"a"'`, `b"null"`) or None.
    `strict` tells that the line is one JSON object in valid UTF-8 that a strict parser accepts; a
    line that only a lenient one accepts (lone surrogate, NaN, bad UTF-8) is routed all the same.
    `failed` tells of a response that it has an error, or neither result nor error.
    `fault` is None, or the JSON-RPC number and sentence with which a bad line is answered (under `id`).
    """

    __slots__ = ("_body", "failed", "fault", "id", "method", "raw", "session", "strict")

    raw: bytes
    method: str | None
    id: bytes | None
    session: str | None
    strict: bool
    failed: bool
    fault: tuple[int, str] | None

    def __init__(self, raw: bytes, head: Head) -> None:
        """Hold a line whose head was read already; `Frame.read` reads it."""
        self.raw = raw
        self.method, self.id, self.session, self.strict, self.failed, self.fault = head
        self._body: dict[str, Any] | None = None

    @staticmethod
    def read(raw: bytes, *, utf8: bool | None = None) -> Frame:
        """Peek at one line; never raises (see `fault`). `utf8` spares the check where it is known."""
        return Frame(raw, peek(raw, utf8=utf8))

    @staticmethod
    def of(method: str, params: Any = None, id: int | str | None = None) -> Frame:  # noqa: A002 - JSON-RPC's word
        """Build a request (with `id`) or a notification (without); `params` is any JSON value."""
        message: dict[str, Any] = {"jsonrpc": "2.0"}
        if id is not None:
            message["id"] = id
        message["method"] = method
        if params is not None:
            message["params"] = params
        return Frame.read(encode(message), utf8=True)

    @staticmethod
    def answer(result: Any, id: bytes = b"null") -> Frame:  # noqa: A002 - JSON-RPC's word
        """Build a response with `result`; `id` is JSON text, spliced later when it is not known yet."""
        return Frame(b'{"jsonrpc":"2.0","id":%b,"result":%b}' % (id, encode(result)), Head(id=id))

    @staticmethod
    def failure(number: int, message: str, data: Any = None, id: bytes = b"null") -> Frame:  # noqa: A002 - as above
        """Build a response with a JSON-RPC error object."""
        error: dict[str, Any] = {"code": number, "message": message}
        if data is not None:
            error["data"] = data
        return Frame(b'{"jsonrpc":"2.0","id":%b,"error":%b}' % (id, encode(error)), Head(id=id, failed=True))

    @property
    def is_request(self) -> bool:
        """A method and an id: somebody waits for an answer."""
        return self.method is not None and self.id is not None

    @property
    def is_notification(self) -> bool:
        """A method and no id: nobody waits."""
        return self.method is not None and self.id is None

    @property
    def body(self) -> dict[str, Any]:
        """The whole message, decoded once unless it is large; `{}` when the line is no message."""
        if self._body is not None:
            return self._body
        body = _object(self.raw)
        if len(self.raw) <= _KEPT_BYTES:
            self._body = body
        return body

    @property
    def params(self) -> dict[str, Any]:
        """The params of a request or notification; `{}` when they are missing or not an object."""
        params = self.body.get("params")
        return params if isinstance(params, dict) else {}

    @property
    def result(self) -> dict[str, Any]:
        """The result of a response; `{}` when it is missing, null or not an object."""
        result = self.body.get("result")
        return result if isinstance(result, dict) else {}

    @property
    def error(self) -> dict[str, Any]:
        """The error object of a failed response; `{}` otherwise."""
        error = self.body.get("error")
        return error if isinstance(error, dict) else {}

    def text_at(self, *path: str) -> bytes | None:
        """The JSON text of a value, as received; None without one, or when the line is no message."""
        return text_at(self.raw, path) if self.fault is None else None

    def with_session(self, session: str) -> Frame:
        """The same message under another session id; every other byte stays as it is."""
        if self.session is None or self.session == session:
            return self
        usual = _USUAL_UPDATE.match(self.raw)
        if usual and usual[1] == self.session.encode() and not _may_repeat_session(self.raw, usual.end(1)):
            raw = self.raw[: usual.start(1)] + encode(session)[1:-1] + self.raw[usual.end(1) :]
        else:
            raw = spliced(self.raw, ("params", "sessionId"), encode(session))
        return Frame(raw, Head(self.method, self.id, session, self.strict, self.failed))

    def with_params(self, params: Any) -> Frame:
        """The message built anew, with the same method and JSON-RPC id and these params (any JSON value)."""
        changed = Frame.of(self.method or "", params, id=None if self.id is None else 0)
        return changed if self.id is None else changed.with_id(self.id)

    def with_id(self, id: bytes) -> Frame:  # noqa: A002 - JSON-RPC's word
        """The same message under another JSON-RPC id (JSON text); every other byte stays as it is."""
        if self.id == id:
            return self
        return Frame.read(spliced(self.raw, ("id",), id))


def _may_repeat_session(raw: bytes, after: int) -> bool:
    """Whether the session id may stand in the line once more: a doubled key, perhaps written with escapes."""
    return raw.find(b"sessionId", after) >= 0 or raw.find(rb"\u00", after) >= 0


def _object(raw: bytes) -> dict[str, Any]:
    try:
        value = decode(raw)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
