"""Walks the texts of a JSON message and changes some of them, so that every other byte stays as it was received."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kiro_core.frames import decode, encode
from kiro_redact.places import Way, is_free, lead_of, way

Path = tuple[str, ...]
Redact = Callable[[str, Way, str], str]
"""A text as it may be shown; how it is looked at, and what stands in front of it for who looks."""

_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|[{}\[\],]', re.DOTALL)
_QUOTE, _COMMA, _OPENS, _CLOSES = ord('"'), ord(","), b"{[", b"}]"


@dataclass(slots=True)
class _Level:
    """An object or a list, in which a value comes under `key`; `name` is that of `{name, value}`."""

    is_object: bool
    key: str
    free: bool
    at_key: bool
    name: str = ""


def walked(raw: bytes, redact: Redact, *, free: bool = False) -> bytes:
    """The message with its texts redacted; `free` tells that nothing in it is the protocol's."""
    return _changed(raw, lambda levels, token: _redacted(levels[-1], token, redact), free=free)


def replaced(raw: bytes, path: Path, text: bytes) -> bytes:
    """The message with other JSON text in place of the text under these keys, each one where a key is doubled."""

    def there(levels: list[_Level], _: bytes) -> bytes | None:
        inside = levels[1:]
        is_it = len(inside) == len(path) and all(level.is_object for level in inside)
        return text if is_it and tuple(level.key for level in inside) == path else None

    return _changed(raw, there)


def _changed(raw: bytes, change: Callable[[list[_Level], bytes], bytes | None], *, free: bool = False) -> bytes:
    parts: list[bytes] = []
    done = 0
    for levels, token in _texts(raw, free=free):
        if (changed := change(levels, token[0])) is not None:
            parts += [raw[done : token.start()], changed]
            done = token.end()
    return b"".join([*parts, raw[done:]]) if parts else raw


def _texts(raw: bytes, *, free: bool) -> Iterator[tuple[list[_Level], re.Match[bytes]]]:
    """Each text that is a value, and where it stands: the levels around it, the outermost first."""
    levels = [_Level(is_object=False, key="", free=free, at_key=False)]
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
            levels.append(_Level(is_object, level.key, level.free or is_free(level.key), at_key=is_object))
        elif len(levels) > 1:
            levels.pop()


def _redacted(level: _Level, token: bytes, redact: Redact) -> bytes | None:
    """What takes the place of a text, None where it stays."""
    how, text = way(level.key, free=level.free), _text(token)
    if level.key == "name":
        level.name = text
    if how is Way.NOT:
        return None
    key = level.name if level.key == "value" and level.name else level.key
    shown = redact(text, how, lead_of(key))
    return None if shown == text else encode(shown)


def _text(token: bytes) -> str:
    value = decode(token)
    return value if isinstance(value, str) else ""
