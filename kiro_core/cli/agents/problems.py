"""What is wrong with agent configurations, and with the files that they refer to."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anyio import to_thread

from kiro_core.agentconfig import BUILT_IN, SUFFIXES, all_agents, load, read_contents
from kiro_core.cli.agents.finding import find_agent
from kiro_core.cli.options import Given
from kiro_core.cli.sources import with_sources
from kiro_core.cli.text import one_line, show
from kiro_core.errors import AgentConfigInvalid
from kiro_core.explain import near_miss
from kiro_core.ports import AgentSource
from kiro_core.settings import kiro_home
from kiro_core.trust import Trust, document_of
from kiro_core.types import AgentConfig, AgentSummary, Problem

_FOLDERS = (".kiro", ".amazonq")
"""Where a folder's configurations are, so that a path tells the folder."""


def find_problems(given: Given, written: Sequence[str], cwd: Path) -> list[Problem]:
    """The problems of the configurations that are written as a path or a name; of all for `cwd` without any.

    Raises:
        SettingsError, UnknownName, PluginError: a source cannot be opened.

    """
    wanted: list[str | Path] = [cwd / each if _is_path(each, cwd) else each for each in written]
    missing = [each for each in wanted if isinstance(each, Path) and not each.is_file()]

    async def found(sources: Sequence[AgentSource]) -> list[Problem]:
        if not written:
            known, problems = await all_agents(sources, cwd)
            return [*problems, *[one for agent in known for one in await _of_contents(sources, agent.name, cwd)]]
        problems = [Problem(path, "", "there is no such file") for path in missing]
        for each in wanted:
            if isinstance(each, str):
                problems += await _of_name(sources, each, cwd)
            elif each not in missing:
                problems += await _of_file(sources, each)
        return problems

    return with_sources(given, found)


def _is_path(written: str, cwd: Path) -> bool:
    """Whether it is meant as a path; the name of an agent in a folder below has slashes too."""
    return written.endswith(SUFFIXES) or ("/" in written and (cwd / written).exists())


async def _of_file(sources: Sequence[AgentSource], path: Path) -> list[Problem]:
    """What sources say of a file, when they read the folder in which it stands; else what it says by itself."""
    cwd = next((parent.parent for parent in path.parents if parent.name in _FOLDERS), path.parent)
    known, problems = await all_agents(sources, cwd)
    mine = [problem for problem in problems if _same(problem.path, path)]
    for agent in known:
        if _same(Path(agent.origin), path):
            return [*mine, *await _of_contents(sources, agent.name, cwd)]
    if mine:
        return mine
    reason = "no agent source reads this file: it belongs into .kiro/agents of a folder or of the user"
    stray = Problem(path, "", reason, severity="warning")
    return [*(await to_thread.run_sync(load, path)).problems, stray]


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
            mine = [problem for problem in problems if str(problem.path) == config.origin]
            return [*mine, *await to_thread.run_sync(contents_problems, config, cwd)]
    return [] if name == BUILT_IN.name else [Problem(Path(name), "", _unknown(name, known))]


async def _of_contents(sources: Sequence[AgentSource], name: str, cwd: Path) -> Sequence[Problem]:
    config = await find_agent(sources, name, cwd)
    return await to_thread.run_sync(contents_problems, config, cwd) if config else ()


def contents_problems(config: AgentConfig, cwd: Path) -> Sequence[Problem]:
    """What of the files that it refers to cannot be read; nothing outside of an untrusted folder is looked at."""
    document = document_of(config)
    trusted = document is None or Trust(kiro_home(os.environ)).trusted(document)
    return read_contents(config, cwd)[1] if trusted else ()


def _unknown(name: str, known: Sequence[AgentSummary]) -> str:
    return f"no agent configuration has this name{near_miss(name, [agent.name for agent in known])}"


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return False


def problem_object(problem: Problem) -> dict[str, Any]:
    """As JSON: `{path, line, field, reason, severity}`; `line` counts from 1, or is null."""
    return {
        "path": str(problem.path),
        "line": problem.line or None,
        "field": problem.field,
        "reason": problem.reason,
        "severity": problem.severity,
    }


def problem_line(problem: Problem) -> str:
    """As one line that editors and terminals understand: `path:line: [warning: ]field: reason.`."""
    place = f"{problem.path}:{problem.line}" if problem.line else str(problem.path)
    severity = "" if problem.severity == "error" else problem.severity
    line = one_line(": ".join(part for part in (place, severity, problem.field, problem.reason) if part))
    return line if line.endswith((".", "?")) else f"{line}."


def print_problems(problems: Sequence[Problem], *, as_json: bool) -> None:
    """Print them, one a line or as an array."""
    if as_json:
        show(json.dumps([problem_object(problem) for problem in problems], indent=2) + "\n")
    else:
        show("".join(problem_line(problem) + "\n" for problem in problems))
