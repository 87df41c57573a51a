"""Walks the texts of a JSON message and changes some of them, so that every other byte stays as it was received."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from kiro_core.frames import decode, encode
from kiro_redact.places import Way, is_free, lead_of, way

Path = tuple[str, ...]
Redact = Callable[[str, Way, str], str]
"""A text as it may be shown; how it is looked at, and what stands in front of it for who looks."""

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],]', re.DOTALL)
_QUOTE, _COMMA, _OPENS = ord('"'), ord(","), b"{["
_IN_MESSAGE, _BODIES = 2, ("params", "result", "error")
"""What a message is about; its id and its method are the protocol's in any case."""


@dataclass(slots=True)
class _Level:
    """An object or a list, in which a value comes under `key`; `name` and `mode` are what it says under these."""

    is_object: bool
    key: str
    free: bool
    at_key: bool
    name: str = ""
    mode: str = ""


def walked(raw: bytes, redact: Redact, *, free: bool = False) -> bytes:
    """The message with its texts redacted; `free` tells that nothing it is about is the protocol's."""
    texts = [(levels[-1], levels[-1].key, token) for levels, token in _texts(raw, free=free)]
    for level, key, token in texts:
        if key == "name":
            level.name = _text(token[0])
        elif key == "mode":
            level.mode = _text(token[0])
    return _changed(raw, ((token, _redacted(level, key, token[0], redact)) for level, key, token in texts))


def replaced(raw: bytes, path: Path, text: bytes) -> bytes:
    """The message with other JSON text in place of the text under these keys, each one where a key is doubled."""

    def is_there(levels: list[_Level]) -> bool:
        inside = levels[1:]
        is_it = len(inside) == len(path) and all(level.is_object for level in inside)
        return is_it and tuple(level.key for level in inside) == path

    return _changed(raw, ((token, text) for levels, token in _texts(raw) if is_there(levels)))


def _changed(raw: bytes, changes: Iterable[tuple[re.Match[bytes], bytes | None]]) -> bytes:
    parts: list[bytes] = []
    done = 0
    for token, changed in changes:
        if changed is not None:
            parts += [raw[done : token.start()], changed]
            done = token.end()
    return b"".join([*parts, raw[done:]]) if parts else raw


def _texts(raw: bytes, *, free: bool = False) -> Iterator[tuple[list[_Level], re.Match[bytes]]]:
    """Each text that is a value, and where it stands: the levels around it, the outermost first."""
    levels = [_Level(is_object=False, key="", free=False, at_key=False)]
    for token in _TOKEN.finditer(raw):
        level, sign = levels[-1], raw[token.start()]
        if sign == _QUOTE:
            if level.at_key:
                level.key, level.at_key = _text(token[0]), False
            else:
                yield levels, token
        elif sign == _COMMA:
            level.at_key = level.is_object
        elif sign in _OPENS:
            is_object = sign == _OPENS[0]
            is_body = free and len(levels) == _IN_MESSAGE and level.key in _BODIES
            levels.append(_Level(is_object, level.key, level.free or is_body or is_free(level.key), at_key=is_object))
        elif len(levels) > 1:
            levels.pop()


def _redacted(level: _Level, key: str, token: bytes, redact: Redact) -> bytes | None:
    """What takes the place of a text, None where it stays."""
    how = way(key, free=level.free)
    if how is Way.NOT or (key == level.mode == "url" and not level.free):  # an address that a person has to follow
        return None
    text = _text(token)
    shown = redact(text, how, lead_of(level.name if key == "value" and level.name else key))
    return None if shown == text else encode(shown)


def _text(token: bytes) -> str:
    value = decode(token)
    return value if isinstance(value, str) else ""
