"""What is wrong with agent configurations, each with the line on which it stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kiro_core.agentconfig import BUILT_IN, all_agents
from kiro_core.cli.jsonc import line_at, parse
from kiro_core.cli.options import Given
from kiro_core.cli.sources import with_sources
from kiro_core.cli.text import one_line, show
from kiro_core.errors import AgentConfigInvalid
from kiro_core.explain import near_miss
from kiro_core.ports import AgentSource
from kiro_core.types import AgentSummary, Problem


def find_problems(given: Given, written: Sequence[str], cwd: Path) -> list[Problem]:
    """The problems of the configurations that are written as a path or a name; of all for `cwd` without any.

    Raises:
        SettingsError, UnknownName, PluginError: a source cannot be opened.

    """
    wanted = [Path(each).absolute() if "/" in each or each.endswith(".json") else each for each in written]
    missing = [each for each in wanted if isinstance(each, Path) and not each.is_file()]

    async def found(sources: Sequence[AgentSource]) -> list[Problem]:
        if not wanted:
            return list((await all_agents(sources, cwd))[1])
        problems = [Problem(path, "", "there is no such file") for path in missing]
        for each in wanted:
            if isinstance(each, str):
                problems += await _of_name(sources, each, cwd)
            elif each not in missing:
                problems += await _of_file(sources, each)
        return problems

    return with_sources(given, found)


async def _of_file(sources: Sequence[AgentSource], path: Path) -> list[Problem]:
    """What sources say of one file, when they read the folder around `.kiro/agents` in which it stands."""
    known, problems = await all_agents(sources, path.parent.parent.parent)
    mine = [problem for problem in problems if _same(problem.path, path)]
    if mine or any(_same(Path(agent.origin), path) for agent in known):
        return mine
    reason = "no agent source reads this file: it belongs into .kiro/agents of a folder or of the user"
    return [Problem(path, "", reason)]


async def _of_name(sources: Sequence[AgentSource], name: str, cwd: Path) -> list[Problem]:
    known, problems = await all_agents(sources, cwd)
    for source in sources:
        try:
            config = await source.find(name, cwd)
        except AgentConfigInvalid as error:
            return [problem for problem in problems if str(problem.path) == error.details.get("path")] or [
                Problem(Path(str(error.details.get("path", name))), "", str(error).rstrip("."))
            ]
        if config is not None:
            return [problem for problem in problems if str(problem.path) == config.origin]
    return [] if name == BUILT_IN.name else [Problem(Path(name), "", _unknown(name, known))]


def _unknown(name: str, known: Sequence[AgentSummary]) -> str:
    return f"no agent configuration has this name{near_miss(name, [agent.name for agent in known])}".rstrip(".")


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def problem_object(problem: Problem) -> dict[str, Any]:
    """As JSON: `{path, line, field, reason}`; `line` counts from 1 and is null where there is none to tell."""
    return {
        "path": str(problem.path),
        "line": _line_of(problem),
        "field": problem.field,
        "reason": problem.reason,
    }


def problem_line(problem: Problem) -> str:
    """As one line that editors and terminals understand: `path:line: field: reason.`."""
    line = _line_of(problem)
    parts = [str(problem.path) if line is None else f"{problem.path}:{line}", problem.field, problem.reason]
    return one_line(": ".join(part for part in parts if part)) + "."


def print_problems(problems: Sequence[Problem], *, as_json: bool) -> None:
    """Print them, one a line or as an array."""
    if as_json:
        show(json.dumps([problem_object(problem) for problem in problems], indent=2) + "\n")
    else:
        show("".join(problem_line(problem) + "\n" for problem in problems))


def _line_of(problem: Problem) -> int | None:
    try:
        text = problem.path.read_text("utf-8-sig")
        json.loads(text)
        called = parse(text).members_called(problem.field)
    except json.JSONDecodeError as error:
        return error.lineno
    except (OSError, ValueError, RecursionError):
        return None
    return line_at(text, called[-1].at) if called else None
