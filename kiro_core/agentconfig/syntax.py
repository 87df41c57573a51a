"""Reads a regular expression of a configuration, of which only what can be matched in linear time is taken."""

from __future__ import annotations

import re
from dataclasses import dataclass

LONGEST = 1000
"""So many characters may a pattern have: nobody reads a longer one."""

_DEEPEST = 30
_MOST_TIMES = 1000
_TIMES = re.compile(r"(?P<sign>[*+?])|\{(?P<least>\d*),(?P<most>\d*)\}|\{(?P<exact>\d+)\}")
_GROUP = re.compile(r"\((?:\?:|\?P?<[A-Za-z_]\w*>|(?!\?))")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_ESCAPE = re.compile(r"\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|[^1-9])", re.DOTALL)
_FLAGS = re.compile(r"\(\?([is]+)\)")
_EDGES = {"^": "start", "$": "end", r"\A": "start", r"\Z": "end", r"\z": "end", r"\b": "word", r"\B": "no word"}


class Refused(ValueError):
    """The pattern cannot be used; its text says why, as it goes on behind "it"."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One character that `fits` matches."""

    fits: re.Pattern[str]


@dataclass(frozen=True, slots=True)
class Edge:
    """No character: the "start" or "end" of the text, the edge of a "word", or "no word" where there is none."""

    kind: str


@dataclass(frozen=True, slots=True)
class Chain:
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of them."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """At least and at most so many times; None: without an end."""

    node: Node
    least: int
    most: int | None


Node = Sign | Edge | Chain | Choice | Repeat


def read_expression(text: str) -> Node:
    """What a pattern says; `.` is any character, and greed makes no difference where only a match is asked for.

    Raises:
        Refused: it is malformed, too long, or looks around or back, which takes more than linear time.

    """
    if len(text) > LONGEST:
        raise Refused(f"has more than {LONGEST} characters")
    flags = _FLAGS.match(text)
    insensitive = flags is not None and "i" in flags[1]
    reader = _Reader(text, flags.end() if flags else 0, re.IGNORECASE if insensitive else re.NOFLAG)
    node = reader.choice(0)
    if reader.at < len(text):
        raise Refused("has a ) without its (")
    return node


class _Reader:
    def __init__(self, text: str, at: int, flags: re.RegexFlag) -> None:
        self.at = at
        self._text = text
        self._flags = flags | re.DOTALL

    def choice(self, depth: int) -> Node:
        options = [self._chain(depth)]
        while self._text.startswith("|", self.at):
            self.at += 1
            options.append(self._chain(depth))
        return Choice(tuple(options))

    def _chain(self, depth: int) -> Node:
        parts = []
        while self.at < len(self._text) and self._text[self.at] not in "|)":
            parts.append(self._repeated(self._one(depth)))
        return Chain(tuple(parts))

    def _one(self, depth: int) -> Node:
        sign = self._text[self.at]
        if sign == "(":
            return self._group(depth)
        if sign in "*+?":
            raise Refused(f"has a {sign} with nothing to repeat")
        if sign == "[":
            return self._class()
        written = self._taken(_ESCAPE, "an escape that is not known here") if sign == "\\" else sign
        if written == sign:
            self.at += 1
        if written in _EDGES:
            return Edge(_EDGES[written])
        return self._sign(written if written == "." or len(written) > 1 else re.escape(written))

    def _group(self, depth: int) -> Node:
        if depth >= _DEEPEST:
            raise Refused(f"is nested more than {_DEEPEST} deep")
        self._taken(_GROUP, "a (? that is not known here; it cannot look around")
        node = self.choice(depth + 1)
        if not self._text.startswith(")", self.at):
            raise Refused("has a ( without its )")
        self.at += 1
        return node

    def _class(self) -> Node:
        written = self._taken(_CLASS, "a [ without its ]")
        if re.search(r"(?<!\\)\[|--|&&|\|\||~~", written[1:]):
            raise Refused("has a class of characters that programs read differently")
        return self._sign(written)

    def _taken(self, expression: re.Pattern[str], otherwise: str) -> str:
        found = expression.match(self._text, self.at)
        if found is None:
            raise Refused(f"has {otherwise}")
        self.at = found.end()
        return found.group()

    def _sign(self, written: str) -> Sign:
        try:
            return Sign(re.compile(written, self._flags))
        except re.error as error:
            raise Refused(f"has {written}: {error.msg}") from error

    def _repeated(self, node: Node) -> Node:
        times = _TIMES.match(self._text, self.at)
        if times is None:
            return node
        self.at = times.end() + self._text.startswith("?", times.end())
        if _TIMES.match(self._text, self.at):
            raise Refused("repeats what is repeated already")
        least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}.get(times["sign"] or "", (0, None))
        if times["exact"]:
            least = most = int(times["exact"])
        elif not times["sign"]:
            least, most = int(times["least"] or 0), int(times["most"]) if times["most"] else None
        if max(least, most or 0) > _MOST_TIMES or (most is not None and most < least):
            raise Refused(f"repeats {times.group()}")
        return Repeat(node, least, most)
