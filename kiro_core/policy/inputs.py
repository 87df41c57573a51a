"""Finds in a tool call what it works on: agents give the same argument many names."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

_PATHS = frozenset(
    f"{prefix}{ending}"
    for prefix in ("", "file_", "dir_", "absolute_", "notebook_", "old_", "new_", "source_", "target_", "image_")
    for ending in ("path", "paths", "file", "files")
) | {"directory", "directory_path", "destination", "destination_path", "filepath", "filepaths", "source"}
_URLS = frozenset(["url", "urls", "uri"])
_DEEPEST = 4


def paths_in(value: Any, depth: int = 0) -> Iterator[str]:
    """The paths in the arguments of a call, however deep they are nested (bounded)."""
    for key, inner in _pairs(value):
        if _plain(key) in _PATHS:
            yield from _texts(inner)
        if isinstance(inner, Mapping | list) and depth < _DEEPEST:
            yield from paths_in(inner, depth + 1)


def searched_in(arguments: Mapping[str, Any]) -> Iterator[str]:
    """Where a search for names of files begins, when its pattern leads out of the folder that it is told."""
    pattern = arguments.get("pattern")
    if isinstance(pattern, str) and (pattern.startswith(("/", "~")) or ".." in pattern):
        fixed = re.split(r"[*?\[{]", pattern, maxsplit=1)
        yield fixed[0] if len(fixed) == 1 or ".." not in fixed[1] else "/"


def urls_in(arguments: Mapping[str, Any]) -> Iterator[str]:
    """The addresses that a fetch is told."""
    for key, inner in arguments.items():
        if key in _URLS:
            yield from _texts(inner)


def paths_told(call: Mapping[str, Any]) -> Iterator[str]:
    """The paths that a call shows besides its arguments: those of its diffs, then its locations."""
    yield from diffs_in(call)
    for location in _list(call.get("locations")):
        if isinstance(location, Mapping):
            yield from _texts(location.get("path"))


def diffs_in(call: Mapping[str, Any]) -> Iterator[str]:
    """The paths of the diffs that a call shows."""
    for block in _list(call.get("content")):
        if isinstance(block, Mapping) and block.get("type") == "diff":
            yield from _texts(block.get("path"))


def commands_in(arguments: Mapping[str, Any]) -> Sequence[str | None]:
    """The different texts of which nobody can tell which one a shell gets; None for one that cannot be read.

    A command with a list of arguments is quoted as a shell would need it.
    """
    more = arguments.get("args") or []
    told = [arguments[key] for key in ("command", "cmd") if arguments.get(key)]
    return list(dict.fromkeys(_command(command, more) for command in told))


def _command(command: Any, more: Any) -> str | None:
    if isinstance(command, list):
        return shlex.join(command) if all(isinstance(word, str) for word in command) else None
    if not isinstance(command, str) or not isinstance(more, list) or not all(isinstance(word, str) for word in more):
        return None
    return f"{command} {shlex.join(more)}" if more else command


def object_in(content: Any) -> Mapping[str, Any]:
    """The JSON object that some agents show as a call's first text, in place of `rawInput`."""
    first = next(iter(_list(content)), None)
    block = first.get("content") if isinstance(first, Mapping) else None
    text = block.get("text") if isinstance(block, Mapping) else None
    try:
        value = json.loads(text) if isinstance(text, str) and text.startswith("{") else {}
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _pairs(value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [(str(key), inner) for key, inner in value.items()]
    return [("", inner) for inner in value] if isinstance(value, list) else []


def _texts(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, list) else [value]:
        if isinstance(each, str) and each:
            yield each


def _plain(key: str) -> str:
    """`filePath`, `file_path` and `filepath` are one key."""
    return key.lower() if key.lower() in _PATHS else re.sub(r"(?<=[a-z])[A-Z]", r"_\g<0>", key).lower()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
