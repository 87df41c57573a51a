"""One agent configuration with the origin of each value, so that nobody has to guess which file decided."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from anyio import to_thread

from kiro_core.agentconfig import Value, all_agents, effective, needs_trust, read_contents, resolve
from kiro_core.cli.agents.problems import problem_line, problem_object
from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given
from kiro_core.cli.sources import with_sources
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import printable, show, tell
from kiro_core.errors import AgentNotFound
from kiro_core.explain import near_miss
from kiro_core.ports import AgentSource
from kiro_core.settings import Settings, kiro_home, load_settings
from kiro_core.types import AgentConfig, Problem

_SECRET = ("env", "headers", "oauth")


@dataclass(frozen=True, slots=True)
class Shown:
    """A configuration with all that it refers to, as far as that may be read, and the fields that wait for consent."""

    config: AgentConfig
    values: Mapping[str, Value]
    withheld: Sequence[str]
    problems: Sequence[Problem]


def show_agent(given: Given, name: str, cwd: Path, *, as_json: bool) -> int:
    """Show the configuration that a session in `cwd` gets under that name.

    Raises:
        AgentNotFound: there is none, or its file is broken.
        SettingsError, UnknownName, PluginError: a source cannot be opened.

    """

    async def found(sources: Sequence[AgentSource]) -> Shown:
        resolved = await resolve(sources, cwd, requested=name, home=kiro_home(os.environ))
        if resolved.found:
            return await to_thread.run_sync(_shown, resolved.config, cwd, resolved.problems)
        known = [agent.name for agent in (await all_agents(sources, cwd))[0]]
        problems = map(problem_line, resolved.problems)
        hint = "\n".join([f"Available: {', '.join(sorted(known))}.", *problems])
        raise AgentNotFound(f"No agent configuration is called {name!r}{near_miss(name, known)}", hint=hint, agent=name)

    shown = with_sources(given, found)
    values = {**shown.values, "engine": _engine(shown.config, load_settings(given.changes, config=given.config))}
    (_print_json if as_json else _print)(shown, values)
    return DONE


def _shown(config: AgentConfig, cwd: Path, problems: Sequence[Problem]) -> Shown:
    values, withheld = effective(config), needs_trust(config)
    if not {"prompt", "systemPrompt", "resources"} & set(withheld):
        config, more = read_contents(config, cwd)
        problems = [*problems, *more]
    return Shown(config, values, withheld, problems)


def _engine(config: AgentConfig, settings: Settings) -> Value:
    for key, name in (
        (f"agent_engines.{config.name}", settings.agent_engines.get(config.name)),
        ("engine", settings.engine),
    ):
        if name:
            return Value(name, f"{key} in {settings.origins.get(key, 'the settings')}")
    return Value(None, "default")


def _print_json(shown: Shown, values: Mapping[str, Value]) -> None:
    config = shown.config
    about: dict[str, Any] = {field: getattr(config, field) for field in ("name", "origin", "digest", "workspace")}
    about["values"] = {
        field: {"value": _masked(field, one.value), "origin": one.origin} for field, one in values.items()
    }
    about |= {"prompt": config.prompt, "resources": [asdict(resource) for resource in config.resources]}
    about |= {"withheld": list(shown.withheld), "problems": [problem_object(one) for one in shown.problems]}
    show(json.dumps(about, indent=2) + "\n")


def _print(shown: Shown, values: Mapping[str, Value]) -> None:
    config = shown.config
    rows = [(field, _text(_masked(field, one.value)), one.origin) for field, one in values.items()]
    print_table(("field", "value", "origin"), rows)
    if shown.withheld:
        show(f"\nwithheld, since the folder is not trusted: {', '.join(shown.withheld)}\n")
    if config.resources:
        show("\n")
        about = [
            (one.skill or "file", one.text if one.skill else f"{len(one.text)} characters") for one in config.resources
        ]
        rows = [(kind, text, one.uri) for (kind, text), one in zip(about, config.resources, strict=True)]
        print_table(("resource", "content", "origin"), rows)
    if config.prompt:
        show(f"\nprompt:\n{printable(config.prompt)}\n")
    for problem in shown.problems:
        tell(f"problem: {problem_line(problem)}")


def _masked(field: str, value: Any) -> Any:
    """The value as others may see it: of the environment, headers and logins of MCP servers only the names."""
    if field != "mcpServers" or not isinstance(value, dict):
        return value
    return {
        name: {key: _names(part) if key in _SECRET else part for key, part in entry.items()}
        if isinstance(entry, dict)
        else entry
        for name, entry in value.items()
    }


def _names(part: Any) -> Any:
    return dict.fromkeys(part, "...") if isinstance(part, dict) else "..."


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
