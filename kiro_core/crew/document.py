"""Reads the files in which people write a crew, so that each mistake is told with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kiro_core.agentconfig.checking import MAX_PROBLEMS, LineOf, as_problem
from kiro_core.agentconfig.document import parse_document
from kiro_core.agentconfig.reading import Unreadable, read_text
from kiro_core.crew.checking import ANY, check
from kiro_core.crew.template import Place, places
from kiro_core.crew.toml_lines import key_lines
from kiro_core.types import Problem

if TYPE_CHECKING:
    from kiro_core.crew.fitting import Known
    from kiro_core.crew.stages import Crew

SUFFIXES = (".toml", ".json")
NO_FILE = Path("crew")
"""The path in problems of a crew that stands in no file."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A crew, or None and what is wrong with it: in the order of its lines, and all of severity "error".

    Of more than `MAX_PROBLEMS` the last one says how many more there are.
    """

    crew: Crew | None
    problems: Sequence[Problem] = ()


def read_crew(path: Path, *, task: str = "", known: Known = ANY) -> Loaded:
    """Read a file whose name ends in one of `SUFFIXES`, 1 MiB at most.

    A `task` counts instead of the file's own; it is a problem when no prompt has a place for it.
    """
    try:
        fields, line_of = _read(path)
    except Unreadable as error:
        return Loaded(None, [Problem(path, error.field, str(error), error.line)])
    loaded = load_crew(fields | {"task": task} if task else fields, known=known, path=path, line_of=line_of)
    if task and loaded.crew is not None and not _wants_task(loaded.crew):
        return Loaded(None, [Problem(path, "task", "is given, and no prompt has {task}, so nobody would do it")])
    return loaded


def load_crew(
    fields: Mapping[str, Any], *, known: Known = ANY, path: Path = NO_FILE, line_of: LineOf = lambda _: 0
) -> Loaded:
    """The crew that fields say, such as a tool's input: JSON values by the names that the file has."""
    crew, remarks = check(fields, known)
    problems = sorted((as_problem(path, remark, line_of) for remark in remarks), key=lambda problem: problem.line)
    if rest := problems[MAX_PROBLEMS:]:
        problems = [*problems[:MAX_PROBLEMS], Problem(path, "", f"and {len(rest)} more")]
    return Loaded(crew, problems)


def _wants_task(crew: Crew) -> bool:
    return any(place == Place() for stage in crew.stages for place in places(stage.prompt))


def _read(path: Path) -> tuple[dict[str, Any], LineOf]:
    if path.suffix not in SUFFIXES:
        raise Unreadable(f"is no crew file: its name ends neither in {' nor in '.join(SUFFIXES)}")
    text, _ = read_text(path)
    if path.suffix == ".json":
        written = parse_document(text, path.suffix)
        return written.fields, written.line
    return _parse_toml(text)


def _parse_toml(text: str) -> tuple[dict[str, Any], LineOf]:
    try:
        fields = tomllib.loads(text)
        lines = key_lines(text)
    except ValueError as error:  # also a number of thousands of digits
        where = re.search(r"at line (\d+)", str(error))
        raise Unreadable(f"is not TOML: {error}", line=int(where[1]) if where else 0) from error
    except RecursionError as error:
        raise Unreadable("is nested too deep") from error

    def line_of(path: Sequence[str | int]) -> int:
        return next((lines[place] for end in range(len(path), 0, -1) if (place := tuple(path[:end])) in lines), 0)

    return fields, line_of
