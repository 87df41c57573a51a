"""The agent configurations of a folder, each with what of it waits for the user's consent."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from anyio import to_thread

from kiro_core.agentconfig import all_agents, needs_trust
from kiro_core.cli.agents.finding import find_agent
from kiro_core.cli.agents.problems import problem_line, problem_object
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given
from kiro_core.cli.sources import with_sources
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import show, tell
from kiro_core.ports import AgentSource
from kiro_core.settings import kiro_home
from kiro_core.trust import Trust, document_of
from kiro_core.types import AgentConfig, Problem


def list_agents(given: Given, cwd: Path, *, as_json: bool) -> int:
    """Print them.

    Raises:
        SettingsError, UnknownName, PluginError: a source cannot be opened.

    """

    async def found(sources: Sequence[AgentSource]) -> tuple[list[dict[str, object]], Sequence[Problem]]:
        known, problems = await all_agents(sources, cwd)
        trust = Trust(kiro_home(os.environ))
        withheld = [await _withheld(await find_agent(sources, agent.name, cwd), trust) for agent in known]
        return [asdict(agent) | {"withheld": one} for agent, one in zip(known, withheld, strict=True)], problems

    agents, problems = with_sources(given, found)
    if as_json:
        show(json.dumps({"agents": agents, "problems": [problem_object(one) for one in problems]}, indent=2) + "\n")
        return DONE
    columns = ("agent", "description", "origin", "withheld")
    print_table(columns, [[_cell(agent[field]) for field in ("name", *columns[1:])] for agent in agents])
    for problem in problems:
        tell(f"problem: {problem_line(problem)}")
    return DONE


async def _withheld(config: AgentConfig | None, trust: Trust) -> list[str]:
    """The fields for which it is not used before its folder is trusted."""

    def waiting(config: AgentConfig) -> list[str]:
        document = document_of(config)
        return [] if document is None or trust.trusted(document) else list(needs_trust(config))

    return await to_thread.run_sync(waiting, config) if config else []


def _cell(value: object) -> str:
    return " ".join(value) if isinstance(value, list) else str(value)
