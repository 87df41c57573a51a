"""What a host has written in a line: a message for the server, or the answer to what is none."""

from __future__ import annotations

import json
import logging
import re
from typing import Any

from mcp.shared.message import SessionMessage
from mcp_types import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    PARSE_ERROR,
    ErrorData,
    JSONRPCError,
    JSONRPCNotification,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from kiro_mcp.lines import Overlong
from kiro_mcp.service.showing import one_line

_LOG = logging.getLogger(__name__)
_MOST_SHOWN = 100
_KINDS = {list: "an array", str: "text", bool: "true or false", int: "a number", float: "a number"}

_HALF = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)", re.DOTALL
)
"""An escape; in its group half a surrogate pair, which has no encoding."""

_SCALAR = rb'\s*"(jsonrpc|id|method)"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)\s*'
_FIRST = re.compile(rb"\s*[{,]" + _SCALAR + rb"(?=[,}])")
_LAST = re.compile(rb"(?:," + _SCALAR + rb")+\}\s*$")
_OUTCOME = re.compile(rb'\s*[{,]\s*"(?:result|error)"\s*:')


def read_line(line: bytes | Overlong) -> SessionMessage | JSONRPCError | None:
    """A message; or the error that answers the line; or None for what has no answer (JSON-RPC 2.0, sections 4 and 5).

    Bytes and escapes that are no text are read as U+FFFD.
    """
    if isinstance(line, Overlong):
        return _too_long(line)
    try:
        message = jsonrpc_message_adapter.validate_json(line, by_name=False)
    except ValidationError:
        return _looked_at(line)
    if isinstance(message, JSONRPCNotification) and b'"id"' in line:
        return _looked_at(line)  # with an id that is none it is no notification
    return SessionMessage(message)


def _looked_at(line: bytes) -> SessionMessage | JSONRPCError | None:
    try:
        told = json.loads(_mended(line))
    except (ValueError, RecursionError):
        return _refusal(PARSE_ERROR, "The line is no JSON.")
    if not isinstance(told, dict):
        batch = "There are no batches here: a line is one message."
        return _refusal(INVALID_REQUEST, batch if isinstance(told, list) else "A message is a JSON object.")
    number = told.get("id")
    has_id = isinstance(number, str) or type(number) is int
    try:
        if has_id or "id" not in told or "method" not in told:
            return SessionMessage(jsonrpc_message_adapter.validate_python(told, by_name=False))
    except ValidationError:
        if "method" not in told and ("result" in told or "error" in told):
            _LOG.warning("an answer of the host is none, and was left out")
            return None
        if "id" not in told and isinstance(told.get("method"), str):
            _LOG.warning("a notification of the host is none, and was left out")
            return None
    return _refusal(*_fault(told, has_id=has_id), number if has_id else None)


def _fault(told: dict[str, Any], *, has_id: bool) -> tuple[int, str]:
    """The code and the sentence for a request that is none."""
    method, params = told.get("method"), told.get("params")
    if told.get("jsonrpc") != "2.0":
        return INVALID_REQUEST, 'A message has "jsonrpc": "2.0".'
    if not isinstance(method, str):
        return INVALID_REQUEST, "A request has a `method`, which is text."
    if not has_id:
        return INVALID_REQUEST, "The `id` of a request is text or a whole number."
    kind = _KINDS.get(type(params), "none")
    return INVALID_PARAMS, f"The `params` of {one_line(method)[:_MOST_SHOWN]} have to be an object, and are {kind}."


def _too_long(line: Overlong) -> JSONRPCError | None:
    told = f"A line of {line.size} bytes was left out; the longest that is read has {line.longest}."
    _LOG.warning("%s", told)
    number, at = None, 0
    while found := _FIRST.match(line.head, at):
        number, at = _id_in(found, number), found.end()
    if _OUTCOME.match(line.head, at):
        return None
    if number is None and (last := _LAST.search(line.tail)):
        for found in re.finditer(rb"," + _SCALAR, last[0]):
            number = _id_in(found, number)
    return _refusal(INVALID_REQUEST, told, number)


def _id_in(member: re.Match[bytes], otherwise: RequestId | None) -> RequestId | None:
    """The id that a member of a message is, if it is that."""
    if member[1] != b"id":
        return otherwise
    try:
        number: RequestId = json.loads(_mended(member[2]))
    except ValueError:
        return None
    return number


def _mended(raw: bytes) -> str:
    return _HALF.sub(lambda found: "\\ufffd" if found[1] else found[0], raw.decode("utf-8", "replace"))


def _refusal(code: int, sentence: str, number: RequestId | None = None) -> JSONRPCError:
    return JSONRPCError(jsonrpc="2.0", id=number, error=ErrorData(code=code, message=sentence))
