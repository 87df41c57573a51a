"""One agent configuration with the origin of each value, so that nobody has to guess which file decided."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kiro_core.agentconfig import all_agents, resolve
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given
from kiro_core.cli.sources import with_sources
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import printable, show
from kiro_core.errors import AgentNotFound
from kiro_core.explain import near_miss
from kiro_core.ports import AgentSource
from kiro_core.settings import Settings, kiro_home, load_settings
from kiro_core.types import AgentConfig


def show_agent(given: Given, name: str, cwd: Path, *, as_json: bool) -> int:
    """Show the configuration that a session in `cwd` gets under that name.

    Raises:
        AgentNotFound: there is none, or its file is broken.
        SettingsError, UnknownName, PluginError: a source cannot be opened.

    """

    async def found(sources: Sequence[AgentSource]) -> AgentConfig:
        resolved = await resolve(sources, cwd, requested=name, home=kiro_home(os.environ))
        if resolved.found:
            return resolved.config
        known = [agent.name for agent in (await all_agents(sources, cwd))[0]]
        hint = "\n".join([f"Available: {', '.join(sorted(known))}.", *(f"{problem}." for problem in resolved.problems)])
        raise AgentNotFound(f"No agent configuration is called {name!r}{near_miss(name, known)}", hint=hint, agent=name)

    config = with_sources(given, found)
    values = _values(config, load_settings(given.changes, config=given.config))
    if as_json:
        about = {"name": config.name, "origin": config.origin, "digest": config.digest, "values": values}
        show(json.dumps({**about, "withheld": list(config.withheld)}, indent=2) + "\n")
        return DONE
    print_table(
        ("field", "value", "origin"), [(field, _text(one["value"]), one["origin"]) for field, one in values.items()]
    )
    if config.withheld:
        show(f"\nwithheld, since the folder is not trusted: {', '.join(config.withheld)}\n")
    if config.prompt:
        show(f"\nprompt:\n{printable(config.prompt)}\n")
    return DONE


def _values(config: AgentConfig, settings: Settings) -> Mapping[str, Any]:
    """`{field: {value, origin}}`: what the file says, and what the settings say of the agent."""
    values = {field: {"value": value, "origin": config.origin} for field, value in config.fields.items()}
    values.setdefault("name", {"value": config.name, "origin": f"the name of {config.origin}"})
    engine, key = settings.agent_engines.get(config.name), f"agent_engines.{config.name}"
    if engine:
        values["engine"] = {"value": engine, "origin": settings.origins.get(key, "settings")}
    if config.fields.get("prompt") not in (None, config.prompt):
        values["prompt"] |= {"text": config.prompt}
    return values


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
