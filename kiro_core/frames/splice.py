"""Replace an id inside a line so that every other byte stays as it was received."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

_value_at = json.JSONDecoder().raw_decode
_BLANK = re.compile(r"[ \t\r\n]*")


def spliced(raw: bytes, path: tuple[str, ...], value: bytes) -> bytes:
    """Replace the value at `path` by JSON text, each occurrence of a doubled key; `raw` is an object."""
    text = raw.decode("utf-8", "surrogateescape")
    new = value.decode()
    parts, done = [], 0
    for start, end in _spans(text, _skip(text, 0), path):
        parts += [text[done:start], new]
        done = end
    return "".join([*parts, text[done:]]).encode("utf-8", "surrogateescape")


def text_at(raw: bytes, path: tuple[str, ...]) -> bytes | None:
    """The JSON text of the value at `path`, of a doubled key the last as parsers do; None without one."""
    text = raw.decode("utf-8", "surrogateescape")
    found = None
    for start, end in _spans(text, _skip(text, 0), path):
        found = text[start:end].encode("utf-8", "surrogateescape")
    return found


def _spans(text: str, at: int, path: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    for key, start, end in _members(text, at):
        if key == path[0]:
            if len(path) == 1:
                yield start, end
            elif text[start] == "{":
                yield from _spans(text, start, path[1:])


def _members(text: str, at: int) -> Iterator[tuple[str, int, int]]:
    """Key, start and end of each member's value of the object that begins at `at`."""
    at = _skip(text, at + 1)
    while text[at] == '"':
        key, at = _value_at(text, at)
        start = _skip(text, _skip(text, at) + 1)
        _, at = _value_at(text, start)
        yield key, start, at
        at = _skip(text, at)
        if text[at] == ",":
            at = _skip(text, at + 1)


def _skip(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at
