"""A document is read once, so that a configuration, its digest and the lines of its problems are of the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from kiro_core.agentconfig import jsonc
from kiro_core.agentconfig.reading import Unreadable, read_text

SUFFIXES = (".json", ".md")
"""JSON; Markdown, whose front matter (YAML) has the fields and whose text is the prompt (kiro.dev, Custom agents)."""


@dataclass(frozen=True, slots=True)
class Written:
    """A configuration as somebody wrote it: its `fields`, and where each of them stands."""

    fields: dict[str, Any]
    text: str
    tree: Callable[[], jsonc.Node]
    digest: str = ""

    def line(self, path: Sequence[str | int]) -> int:
        """The line of a field, or of what is nearest around it, counted from 1; 0 when that cannot be told."""
        try:
            at = self.tree().place(path)
        except jsonc.NotJson:  # nested deeper than anybody writes
            return 0
        return 0 if at is None else jsonc.line_at(self.text, at)


def read_document(path: Path) -> Written:
    """Read a file whose name ends in one of `SUFFIXES`; `digest` is the SHA-256 of its bytes (hexadecimal).

    Raises:
        Unreadable: it cannot be read, or is no configuration.

    """
    text, raw = read_text(path)
    written = parse_document(text, path.suffix)
    return Written(written.fields, text, written.tree, hashlib.sha256(raw).hexdigest())


def parse_document(text: str, suffix: str) -> Written:
    """The fields of a document: JSON values only, and every key of an object once.

    Raises:
        Unreadable: it is neither JSON nor Markdown with front matter, as its suffix says.

    """
    if suffix == ".md":
        from kiro_core.agentconfig.markdown import parse_markdown

        fields, tree = parse_markdown(text)
        return Written(_strict(fields), text, lambda: tree)
    return Written(_strict(_from_json(text)), text, cache(partial(jsonc.parse, text)))


def _from_json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except _RepeatedError as error:
        raise _repeated(text, str(error)) from error
    except json.JSONDecodeError as error:
        reason = f"is not JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise Unreadable(reason, line=error.lineno) from error
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"holds a value that JSON cannot: {error}") from error


def _strict(fields: Any) -> dict[str, Any]:
    """What Python reads but strict JSON refuses (NaN, half a surrogate pair) could not be recorded later."""
    try:
        json.dumps(fields, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"holds a value that JSON cannot: {error}") from error
    if not isinstance(fields, dict):
        raise Unreadable("is not a JSON object")
    return fields


class _RepeatedError(Exception):
    """A key that an object has twice: programs disagree on which one counts, so a reader may see another one."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise _RepeatedError(key)
        values[key] = value
    return values


def _repeated(text: str, key: str) -> Unreadable:
    try:
        member = jsonc.parse(text).repeated()
    except jsonc.NotJson:
        member = None
    line = jsonc.line_at(text, member.at) if member else 0
    return Unreadable("stands there twice", field=member.key if member else key, line=line)
