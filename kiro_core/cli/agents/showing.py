"""One agent configuration with the origin of each value, so that nobody has to guess which file decided."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from anyio import to_thread

from kiro_core.agentconfig import Value, all_agents, effective, needs_trust, read_contents, resolve
from kiro_core.cli.agents.explained import Shown, print_json, print_tables
from kiro_core.cli.agents.problems import problem_line
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given
from kiro_core.cli.sources import with_sources
from kiro_core.engines import choose_engine, field_ways, load_engines
from kiro_core.errors import AgentNotFound, EngineNotFound, UnknownName
from kiro_core.explain import near_miss
from kiro_core.mcp_servers import merged
from kiro_core.ports import AgentSource
from kiro_core.settings import Settings, kiro_home, load_settings
from kiro_core.trust import Trust, document_of
from kiro_core.types import AgentConfig, Engine, Problem


def show_agent(given: Given, name: str, cwd: Path, *, as_json: bool) -> int:
    """Show the configuration that a session in `cwd` gets under that name.

    Raises:
        AgentNotFound: there is none, or its file is broken.
        SettingsError, UnknownName, PluginError: a source cannot be opened.

    """
    settings = load_settings(given.changes, config=given.config)

    async def found(sources: Sequence[AgentSource]) -> Shown:
        resolved = await resolve(sources, cwd, requested=name, home=kiro_home(os.environ))
        if resolved.found:
            return await to_thread.run_sync(_shown, resolved.config, cwd, resolved.problems, settings)
        known = [agent.name for agent in (await all_agents(sources, cwd))[0]]
        problems = map(problem_line, resolved.problems)
        hint = "\n".join([f"Available: {', '.join(sorted(known))}.", *problems])
        raise AgentNotFound(f"No agent configuration is called {name!r}{near_miss(name, known)}", hint=hint, agent=name)

    shown = with_sources(given, found)
    values = {**shown.values, "engine": _engine(shown.config, settings)}
    (print_json if as_json else print_tables)(shown, values)
    return DONE


def _shown(config: AgentConfig, cwd: Path, problems: Sequence[Problem], settings: Settings) -> Shown:
    home = kiro_home(os.environ)
    values, trust = effective(config), Trust(home)
    withheld, word = _trust(config, trust)
    servers = merged((), config, cwd, home, trust.trusted, None, os.environ)
    if not {"prompt", "systemPrompt", "resources"} & set(withheld):
        config, more = read_contents(config, cwd)
        problems = [*problems, *more]
    engine = _chosen(config, settings)
    natively = engine is not None and engine.agents == "mode" and bool(config.digest) and not withheld
    ways = field_ways(engine, natively=natively) if engine is not None else {}
    return Shown(config, values, withheld, word, problems, servers, engine, ways)


def _trust(config: AgentConfig, trust: Trust) -> tuple[Sequence[str], str]:
    """The fields for which it is not used yet, and how its trust stands in words."""
    document = document_of(config)
    if document is None:
        return (), "needed for nothing"
    if trust.trusted(document):
        return (), f"given for {document.folder}"
    return needs_trust(config), f"missing; give it with: kiro-core trust {document.folder}"


def _chosen(config: AgentConfig, settings: Settings) -> Engine | None:
    for_agent = settings.agent_engines.get(config.name, "")
    try:
        return choose_engine(load_engines(settings.engines), for_agent=for_agent, default=settings.engine).engine
    except (EngineNotFound, UnknownName):
        return None


def _engine(config: AgentConfig, settings: Settings) -> Value:
    for key, name in (
        (f"agent_engines.{config.name}", settings.agent_engines.get(config.name)),
        ("engine", settings.engine),
    ):
        if name:
            return Value(name, f"{key} in {settings.origins.get(key, 'the settings')}")
    return Value(None, "default")
