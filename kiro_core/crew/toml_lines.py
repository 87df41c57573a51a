"""Finds the lines of keys in TOML, which the reader of the standard library does not tell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

KeyPath = tuple[str | int, ...]

_PIECE = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*|[\[\]{}\n]|[^"\'#\[\]{}\n]+',
    re.DOTALL,
)


def key_lines(text: str) -> Mapping[KeyPath, int]:
    """The line, counted from 1, of each key, table and list item of a text that is TOML."""
    lines: dict[KeyPath, int] = {}
    last: dict[KeyPath, int] = {}  # of each list of tables, the number of the one that is being written
    table: KeyPath = ()
    for line, statement in _statements(text):
        tree = tomllib.loads(statement)
        if statement.startswith("["):
            table = _table(tree, last, is_item=statement.startswith("[["))
            lines.setdefault(table, line)
        else:
            for path in _paths(tree):
                lines.setdefault((*table, *path), line)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header, and each key with its value, with the line on which it begins."""
    line, depth = 1, 0
    begun, parts = 0, list[str]()
    for piece in _PIECE.findall(f"{text}\n"):
        depth += (piece in ("[", "{")) - (piece in ("]", "}"))
        if piece == "\n" and depth == 0:
            if parts:
                yield begun, "".join(parts).strip()
            parts = []
        elif parts or not (piece.isspace() or piece.startswith("#")):
            begun = begun if parts else line
            parts.append(piece)
        line += piece.count("\n")


def _table(tree: Any, last: dict[KeyPath, int], *, is_item: bool) -> KeyPath:
    """The path of the table that a header begins; a name of a list of tables stands for the last one of these."""
    path: KeyPath = ()
    while isinstance(tree, dict) and tree:
        key, tree = next(iter(tree.items()))
        path = (*path, key)
        if is_item and isinstance(tree, list):
            last[path] = last.get(path, -1) + 1
        if path in last:
            path = (*path, last[path])
    return path


def _paths(value: Any) -> Iterator[KeyPath]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (key,)
        yield from ((key, *path) for path in _paths(one))
