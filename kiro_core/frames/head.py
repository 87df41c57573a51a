"""Read the routing head of a line in one strict pass, or leniently when a strict parser refuses it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

import msgspec

from kiro_core.frames.splice import text_at

PARSE_ERROR = -32700
INVALID_REQUEST = -32600

_NEVER = msgspec.Raw()
_REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_UNREADABLE = object()


class Head(NamedTuple):
    """What routing needs of a message; the fields are those of `Frame`."""

    method: str | None = None
    id: bytes | None = None
    session: str | None = None
    strict: bool = True
    failed: bool = False
    fault: tuple[int, str] | None = None


class _Params(msgspec.Struct, gc=False):
    sessionId: str | None = None  # noqa: N815 - the name on the wire


class _Line(msgspec.Struct, gc=False):
    method: str | None = None
    id: msgspec.Raw = _NEVER
    params: _Params | None = None
    result: msgspec.Raw = _NEVER
    error: msgspec.Raw = _NEVER


_peek = msgspec.json.Decoder(_Line).decode
_strict = msgspec.json.Decoder().decode


def peek(raw: bytes, *, utf8: bool | None = None) -> Head:
    """Read the head of one line; never raises. `utf8` spares the check where it is known."""
    try:
        line = _peek(raw)
    except _REFUSED:
        return _lenient(raw)
    id_ = bytes(line.id) if line.id is not _NEVER else None
    failed = line.error is not _NEVER and bytes(line.error) != b"null"
    session = line.params.sessionId if line.params is not None else None
    fault = _fault(line.method, id_, answers=failed or line.result is not _NEVER)
    return Head(line.method, id_, session, is_utf8(raw) if utf8 is None else utf8, failed, fault)


def decode(raw: bytes) -> dict[str, Any]:
    """Decode one JSON object, strictly if possible, else leniently; `{}` when it is not an object."""
    try:
        value = _strict(raw)
    except _REFUSED:
        value = _loads(raw)
    return value if isinstance(value, dict) else {}


def is_utf8(raw: bytes) -> bool:
    """Whether the bytes are valid UTF-8."""
    if raw.isascii():
        return True
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_strict(raw: bytes) -> bool:
    try:
        return isinstance(_strict(raw), dict) and is_utf8(raw)
    except _REFUSED:
        return False


def _fault(method: str | None, id_: bytes | None, *, answers: bool) -> tuple[int, str] | None:
    if id_ is not None and id_[:1] in b"{[tf":
        return INVALID_REQUEST, "The message's id is neither a string, a number nor null."
    if method is None and not answers:
        return INVALID_REQUEST, "The message has neither a method nor a result nor an error."
    return None


def _loads(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return _UNREADABLE


def _lenient(raw: bytes) -> Head:
    value = _loads(raw)
    if value is _UNREADABLE:
        return Head(strict=False, fault=(PARSE_ERROR, "The line is not JSON."))
    if not isinstance(value, dict):
        what = "a batch; send one message a line" if isinstance(value, list) else "not an object"
        return Head(strict=False, fault=(INVALID_REQUEST, f"The message is {what}."))
    method, params = value.get("method"), value.get("params")
    id_ = text_at(raw, ("id",))
    if method is not None and not isinstance(method, str):
        return Head(id=id_, strict=False, fault=(INVALID_REQUEST, "The message's method is not a string."))
    session = params.get("sessionId") if isinstance(params, dict) else None
    failed = value.get("error") is not None
    fault = _fault(method, id_, answers=failed or "result" in value)
    return Head(method, id_, session if isinstance(session, str) else None, _is_strict(raw), failed, fault)
