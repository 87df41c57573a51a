"""Walk JSON text as bytes and without recursion, so that nothing which a parser let pass can make it fail.

A parser that builds values would stop at numbers, nesting or encodings that are somebody else's
business, and it would copy megabytes to find an id. The text is one that a parser accepted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_QUOTE, _BACKSLASH = ord('"'), ord("\\")
_BETWEEN = re.compile(rb"[ \t\r\n,:]*+")
_PLAIN = re.compile(rb"[^ \t\r\n,\]}]*+")
_TOKEN = re.compile(rb'"[^"\\]{0,255}+(?:\\.[^"\\]{0,255}+){0,50}"|["\[\]{}]', re.DOTALL)
"""A usual string, a bracket, or the quote that begins a long string: `_string_end` is dearer, but copies nothing."""

_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def beginning(raw: bytes) -> int:
    """Where the text begins, behind blanks."""
    return _behind(_BETWEEN, raw, 0)


def members(raw: bytes, at: int) -> Iterator[tuple[str, int, int]]:
    """Key, start and end of each member's value of the object that begins at `at`; nothing when none does."""
    at = _behind(_BETWEEN, raw, at + 1) if raw[at : at + 1] == b"{" else len(raw)
    while raw[at : at + 1] == b'"':
        colon = _string_end(raw, at)
        start = _behind(_BETWEEN, raw, colon)
        end = _value_end(raw, start)
        yield _key(raw[at:colon]), start, end
        at = _behind(_BETWEEN, raw, end)


def is_deeper(raw: bytes, levels: int) -> bool:
    """Whether objects and arrays are nested deeper than so many levels."""
    if len(raw) <= levels or raw.count(b"{") + raw.count(b"[") <= levels:
        return False
    depth = 0
    for step, _ in _brackets(raw, 0):
        depth += step
        if depth > levels:
            return True
    return False


def _value_end(raw: bytes, start: int) -> int:
    if raw[start : start + 1] == b'"':
        return _string_end(raw, start)
    if raw[start : start + 1] not in (b"{", b"["):
        return _behind(_PLAIN, raw, start)
    depth = 0
    for step, end in _brackets(raw, start):
        depth += step
        if depth == 0:
            return end
    return len(raw)


def _brackets(raw: bytes, at: int) -> Iterator[tuple[int, int]]:
    """Each bracket or brace outside strings: one level up or down, and where it ends."""
    while token := _TOKEN.search(raw, at):
        start, at = token.span()
        if raw[start] != _QUOTE:
            yield _STEP[raw[start]], at
        elif at == start + 1:
            at = _string_end(raw, start)


def _string_end(raw: bytes, start: int) -> int:
    """Behind the quote that ends the string: the next one with an even number of backslashes in front."""
    quote = start
    while (quote := raw.find(b'"', quote + 1)) >= 0:
        slashes = quote
        while raw[slashes - 1] == _BACKSLASH:
            slashes -= 1
        if (quote - slashes) % 2 == 0:
            return quote + 1
    return len(raw)


def _behind(pattern: re.Pattern[bytes], raw: bytes, at: int) -> int:
    found = pattern.match(raw, at)
    return found.end() if found else at


def _key(text: bytes) -> str:
    key = text.decode("utf-8", "replace")
    return str(json.loads(key)) if "\\" in key else key[1:-1]
