"""Finds what stands where in JSON that people write, comments and trailing commas too, to edit it or to name a line."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

_BLANK = re.compile(r"(?:[\s\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}/]+")
_DEEPEST = 100


class NotJson(ValueError):
    """The text is not JSON even with comments and trailing commas allowed; `line` counts from 1."""

    def __init__(self, text: str, at: int) -> None:
        """`at` is the place where it stops to be JSON."""
        self.line: Final = line_at(text, at)
        super().__init__(f"line {self.line} is not JSON")


class Member(NamedTuple):
    """One key of an object: where the key begins, and its value."""

    key: str
    at: int
    node: Node


@dataclass(frozen=True, slots=True)
class Node:
    """A value and where it stands: `text[begin:end]`; an object has `members`, duplicates included, a list `items`."""

    begin: int
    end: int
    value: Any
    members: tuple[Member, ...] = ()
    items: tuple[Node, ...] = ()

    def members_called(self, key: str) -> list[Member]:
        """Those of one key: more than one is legal JSON, and nobody knows which counts."""
        return [member for member in self.members if member.key == key]

    def place(self, path: Sequence[str | int]) -> int | None:
        """Where a value stands, by its key, or what is nearest around it; None when nothing of the path is there."""
        node: Node = self
        at: int | None = None
        for part in path:
            if isinstance(part, int) and part < len(node.items):
                node, at = node.items[part], node.items[part].begin
            elif isinstance(part, str) and (called := node.members_called(part)):
                node, at = called[-1].node, called[-1].at
            else:
                break
        return at

    def repeated(self) -> Member | None:
        """The first member whose key its object has already, wherever inside."""
        seen: set[str] = set()
        for member in self.members:
            if member.key in seen:
                return member
            seen.add(member.key)
            if found := member.node.repeated():
                return found
        return next((found for item in self.items if (found := item.repeated())), None)


def line_at(text: str, at: int) -> int:
    """The line of a place, counted from 1."""
    return text.count("\n", 0, at) + 1


def parse(text: str) -> Node:
    """The one value of a text.

    Raises:
        NotJson: it has none, or more than one.

    """
    node = _value(text, _behind_blank(text, 0), 0)
    end = _behind_blank(text, node.end)
    if end != len(text):
        raise NotJson(text, end)
    return node


def _value(text: str, at: int, depth: int) -> Node:
    if depth > _DEEPEST:
        raise NotJson(text, at)
    match text[at : at + 1]:
        case "{":
            return _object(text, at, depth)
        case "[":
            return _list(text, at, depth)
        case '"':
            value, end = _string(text, at)
            return Node(at, end, value)
    scalar = _SCALAR.match(text, at)
    try:
        return Node(at, scalar.end() if scalar else at, json.loads(scalar[0] if scalar else ""))
    except ValueError as error:
        raise NotJson(text, at) from error


def _object(text: str, begin: int, depth: int) -> Node:
    members: list[Member] = []
    at = _behind_blank(text, begin + 1)
    while text[at : at + 1] != "}":
        key, end = _string(text, at)
        colon = _behind_blank(text, end)
        if text[colon : colon + 1] != ":":
            raise NotJson(text, colon)
        members.append(Member(key, at, _value(text, _behind_blank(text, colon + 1), depth + 1)))
        at = _behind_comma(text, members[-1].node.end, "}")
    return Node(begin, at + 1, {member.key: member.node.value for member in members}, tuple(members))


def _list(text: str, begin: int, depth: int) -> Node:
    items: list[Node] = []
    at = _behind_blank(text, begin + 1)
    while text[at : at + 1] != "]":
        items.append(_value(text, at, depth + 1))
        at = _behind_comma(text, items[-1].end, "]")
    return Node(begin, at + 1, [item.value for item in items], items=tuple(items))


def _string(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] != '"':
        raise NotJson(text, at)
    try:
        value, end = json.JSONDecoder().raw_decode(text, at)
    except ValueError as error:
        raise NotJson(text, at) from error
    return value, end


def _behind_comma(text: str, at: int, close: str) -> int:
    """The next key or value, or the end of what is read."""
    at = _behind_blank(text, at)
    if text[at : at + 1] == ",":
        return _behind_blank(text, at + 1)
    if text[at : at + 1] != close:
        raise NotJson(text, at)
    return at


def _behind_blank(text: str, at: int) -> int:
    blank = _BLANK.match(text, at)
    return blank.end() if blank else at
