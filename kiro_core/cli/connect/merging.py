"""Adds one entry to a settings file of another program, and leaves every other byte of it as it is."""

from __future__ import annotations

import itertools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kiro_core.agentconfig.jsonc import Node, NotJson, parse
from kiro_core.errors import KiroError
from kiro_core.settings.files import replace_file


def add_entry(path: Path, table: str, name: str, entry: dict[str, Any]) -> Path | None:
    """Put `entry` under `name` into the object `table` of a file, which may be missing; nothing if it is there.

    Returns:
        Where the file as it was is kept, or None where nothing had to be kept.

    Raises:
        KiroError: it cannot be done without risk for what is there; nothing was changed.

    """
    try:
        raw = path.read_bytes() if path.exists() else b""
        text = raw.decode("utf-8")
        merged = with_entry(text, table, name, entry) if text.strip() else _fresh(table, name, entry)
        if merged == text:
            return None
        kept = _free(path) if raw else None
        if kept is not None:
            replace_file(kept, raw)
        replace_file(path, merged.encode())
    except UnicodeDecodeError as error:
        raise _refused(path, "it is not UTF-8") from error
    except NotJson as error:
        raise _refused(path, str(error)) from error
    except OSError as error:
        raise _refused(path, str(error.strerror)) from error
    except Unmergeable as error:
        raise _refused(path, str(error)) from error
    return kept


def _free(path: Path) -> Path:
    """A name for a copy that no earlier copy has."""
    stem = f"{path.name}.{datetime.now(UTC):%Y%m%dT%H%M%S}"
    copies = (path.with_name(f"{stem}-{number}.bak") for number in itertools.count(1))
    return next(copy for copy in copies if not copy.exists())


class Unmergeable(ValueError):
    """Why an entry cannot be added, as the end of a sentence."""


def with_entry(text: str, table: str, name: str, entry: dict[str, Any]) -> str:
    """The text with the entry, everything else byte for byte as it was.

    Raises:
        NotJson: the text is no JSON.
        Unmergeable: the place is taken, or it is not clear which place it is.

    """
    root = parse(text)
    if not isinstance(root.value, dict):
        raise Unmergeable("it holds no JSON object")
    tables = root.members_called(table)
    if not tables:
        return _checked(text, _inserted(text, root, table, {name: entry}), table, name, entry)
    if len(tables) > 1 or not isinstance(tables[0].node.value, dict):
        raise Unmergeable(f"it holds {table!r} more than once, or not as an object")
    there = tables[0].node.members_called(name)
    if not there:
        return _checked(text, _inserted(text, tables[0].node, name, entry), table, name, entry)
    if len(there) == 1 and there[0].node.value == entry:
        return text
    raise Unmergeable(f"it holds another {name!r} in {table!r} already")


def _inserted(text: str, node: Node, key: str, value: Any) -> str:
    """The text with a first member in an object, indented as the line on which the object begins."""
    line = text[text.rfind("\n", 0, node.begin) + 1 : node.begin]
    outer = line[: len(line) - len(line.lstrip())].lstrip("\ufeff")
    step = _indent(text)
    newline = "\r\n" if "\r\n" in text else "\n"
    written = json.dumps({key: value}, indent=step, ensure_ascii=False)[1:-2]
    written = written.replace("\n", newline + outer)
    behind = "," if node.members else newline + outer
    return text[: node.begin + 1] + written + behind + text[node.begin + 1 :]


def _indent(text: str) -> str:
    """The first indent in the text, or two spaces."""
    for line in text.splitlines():
        if line.strip() and line[0] in " \t":
            return line[: len(line) - len(line.lstrip())]
    return "  "


def _checked(before: str, after: str, table: str, name: str, entry: dict[str, Any]) -> str:
    """The edited text, once it means what it meant before and the entry, and nothing else."""
    wanted = parse(before).value
    wanted = {**wanted, table: {**wanted.get(table, {}), name: entry}}
    if parse(after).value != wanted:
        raise Unmergeable("an entry cannot be put into it")
    return after


def _fresh(table: str, name: str, entry: dict[str, Any]) -> str:
    return json.dumps({table: {name: entry}}, indent=2, ensure_ascii=False) + "\n"


def _refused(path: Path, reason: str) -> KiroError:
    return KiroError(
        f"{path} was not changed: {reason}.", hint="Put the lines there by hand; without --write they are shown."
    )
