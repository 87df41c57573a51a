"""Decode what strict parsers refuse but agents send, and encode whatever was decoded.

`JSON.stringify` emits a lone surrogate when a stream is cut inside an emoji, Python emits NaN, and
paths may hold bytes that are not UTF-8. In decoded values all text is clean (U+FFFD stands for what is
no character), so that what was read can always be written; the bytes as received are the `Frame`'s.
"""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

REFUSED = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What a strict parser raises."""

_strict = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(enc_hook=str).encode
_HIGH, _LOW, _ANY = (rb"\\u[dD][%b][0-9a-fA-F]{2}" % digits for digits in (b"89abAB", b"c-fC-F", b"89a-fA-F"))
_LONE = re.compile(rb"\\\\|%b%b|(%b)" % (_HIGH, _LOW, _ANY))


def decode(raw: bytes) -> Any:
    """Decode JSON text, leniently where a strict parser refuses it.

    Raises:
        ValueError: it is not JSON, or it is nested too deeply.

    """
    try:
        return _strict(raw)
    except REFUSED:
        return lenient(raw)


def lenient(raw: bytes) -> Any:
    """Decode JSON text with lone surrogates, NaN, numbers of any length or bytes that are not UTF-8.

    Raises:
        ValueError: it is not JSON, or it is nested too deeply.

    """
    text = _LONE.sub(lambda found: rb"\ufffd" if found[1] else found[0], raw)
    try:
        return json.loads(text.decode("utf-8", "replace"), parse_int=_number)
    except RecursionError as error:
        raise ValueError("The text is nested too deeply.") from error


def encode(value: Any) -> bytes:
    """Strict JSON text in UTF-8; NaN becomes null, and what JSON does not know becomes its `str`."""
    try:
        return _encode(value)
    except UnicodeEncodeError:
        return _encode(lenient(json.dumps(value, default=str).encode()))


def _number(digits: str) -> int | float:
    try:
        return int(digits)
    except ValueError:  # longer than `sys.get_int_max_str_digits()`
        return float(digits)
