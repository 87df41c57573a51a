"""Read the routing head of a line in one strict pass, or leniently when a strict parser refuses it."""

from __future__ import annotations

import re
from codecs import getincrementaldecoder
from typing import Any, NamedTuple

import msgspec

from kiro_core.frames.codec import REFUSED, lenient
from kiro_core.frames.scan import is_deeper
from kiro_core.frames.splice import text_at

PARSE_ERROR = -32700
INVALID_REQUEST = -32600

_LEVELS = 400
"""Deeper nesting is refused (RFC 8259 section 9 allows it): a reader's stack has to hold it with an envelope around."""

SHORT = _LEVELS
"""Bytes; what is no longer cannot be nested deeper, either."""

_DIGITS = 4300
"""Python's own `json` refuses longer integers, so a line that holds one is not embedded in a record."""

_STRIDE = 100
_PART = 1024 * 1024
_SUSPECT = re.compile(rb"[0-9]{%d}" % (_DIGITS // _STRIDE))
_ENDLESS = re.compile(rb"[0-9]{%d}" % (_DIGITS + 1))

_NEVER = msgspec.Raw()
_ID = re.compile(rb'["0-9n]|-[0-9]')


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
    if is_deeper(raw, _LEVELS):
        return _bad(INVALID_REQUEST, f"The message is nested deeper than {_LEVELS} levels.")
    try:
        line = _peek(raw)
    except REFUSED:
        return _lenient(raw)
    session = line.params.sessionId if line.params is not None else None
    strict = (is_utf8(raw) if utf8 is None else utf8) and not _has_endless_number(raw)
    id_ = bytes(line.id) if line.id is not _NEVER else None
    failed = line.error is not _NEVER and bytes(line.error) != b"null"
    return _checked(Head(line.method, id_, session, strict, failed), answers=line.result is not _NEVER)


def is_utf8(raw: bytes) -> bool:
    """Whether the bytes are valid UTF-8."""
    if raw.isascii():
        return True
    # In parts, since text that is not all ASCII takes up to four times its bytes.
    decode = getincrementaldecoder("utf-8")().decode
    try:
        for start in range(0, len(raw), _PART):
            decode(raw[start : start + _PART], final=start + _PART >= len(raw))
    except UnicodeDecodeError:
        return False
    return True


def is_bounded(raw: bytes) -> bool:
    """Whether a line is neither nested too deeply nor holds a number that no record can; a `SHORT` one is it."""
    return not is_deeper(raw, _LEVELS) and not _has_endless_number(raw)


def _checked(head: Head, *, answers: bool) -> Head:
    if head.id is not None and not _ID.match(head.id):
        fault = (INVALID_REQUEST, "The message's id is neither a string, a number nor null.")
        return head._replace(id=b"null", fault=fault)
    if head.fault is None and head.method is None and not answers and not head.failed:
        fault = (INVALID_REQUEST, "The message has neither a method nor a result nor an error.")
        return head._replace(failed=True, fault=fault)
    return head


def _has_endless_number(raw: bytes) -> bool:
    # Every hundredth byte tells where such a run may be, so that long lines without digits are searched at no cost.
    return len(raw) > _DIGITS and _SUSPECT.search(raw[::_STRIDE]) is not None and _ENDLESS.search(raw) is not None


def _is_strict(raw: bytes) -> bool:
    try:
        return is_utf8(raw) and isinstance(_strict(raw), dict)
    except REFUSED:
        return False


def _bad(number: int, sentence: str, id_: bytes | None = None) -> Head:
    return Head(id=id_, strict=False, fault=(number, sentence))


def _lenient(raw: bytes) -> Head:
    try:
        value = lenient(raw)
    except ValueError:
        return _bad(PARSE_ERROR, "The line is not JSON.")
    if isinstance(value, list):
        return _bad(INVALID_REQUEST, "The message is a batch; send one message a line.")
    if not isinstance(value, dict):
        return _bad(INVALID_REQUEST, "The message is not an object.")
    return _checked(_head(raw, value), answers="result" in value)


def _head(raw: bytes, value: dict[str, Any]) -> Head:
    method, params, id_ = value.get("method"), value.get("params"), text_at(raw, ("id",))
    if method is not None and not isinstance(method, str):
        return _bad(INVALID_REQUEST, "The message's method is not a string.", id_)
    session = params.get("sessionId") if isinstance(params, dict) else None
    strict, failed = _is_strict(raw), value.get("error") is not None
    return Head(method, id_, session if isinstance(session, str) else None, strict, failed)
