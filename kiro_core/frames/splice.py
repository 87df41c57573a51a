"""Replace an id inside a line so that every other byte stays as it was received."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import DecodeError, Raw
from msgspec.json import Decoder

from kiro_core.frames.scan import beginning, members

_MEMBERS = Decoder(dict[str, Raw])
"""Finds values in one pass and builds none of them."""


def spliced(raw: bytes, path: tuple[str, ...], value: bytes) -> bytes:
    """Replace the value at `path` by JSON text, each occurrence of a doubled key; `raw` is an object."""
    # A view, since a slice of a long line would be one more copy of it.
    view, done = memoryview(raw), 0
    parts: list[bytes | memoryview] = []
    for start, end in _spans(raw, beginning(raw), path):
        parts += [view[done:start], value]
        done = end
    return b"".join([*parts, view[done:]])


def text_at(raw: bytes, path: tuple[str, ...]) -> bytes | None:
    """The JSON text of the value at `path`, of doubled keys the last as parsers do; None without one."""
    found: bytes | Raw | None = raw
    try:
        for name in path:
            found = _MEMBERS.decode(found).get(name) if found is not None else None
    except (DecodeError, UnicodeDecodeError, RecursionError):
        return _walked(raw, path)
    return None if found is None else bytes(found)


def _walked(raw: bytes, path: tuple[str, ...]) -> bytes | None:
    """The same for what the parser refuses, or where something on the path is no object."""
    start, end = beginning(raw), len(raw)
    for name in path:
        found = [(begins, ends) for key, begins, ends in members(raw, start) if key == name]
        if not found:
            return None
        start, end = found[-1]
    return raw[start:end]


def _spans(raw: bytes, at: int, path: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    for key, start, end in members(raw, at):
        if key == path[0]:
            if len(path) == 1:
                yield start, end
            else:
                yield from _spans(raw, start, path[1:])
