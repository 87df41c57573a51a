"""Prints an agent configuration with the origin of each value, and how each reaches the engine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kiro_core.agentconfig import Value
from kiro_core.cli.agents.problems import problem_line, problem_object
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import printable, show, tell
from kiro_core.engines import FieldWay
from kiro_core.mcp_servers import Merged
from kiro_core.types import AgentConfig, Engine, Problem

_SECRET = ("env", "headers", "oauth")


@dataclass(frozen=True, slots=True)
class Shown:
    """A configuration with all that it refers to, as far as that may be read.

    `withheld` are the fields for which it is not used yet; `trust` says it in words; `servers` are what a session gets
    of MCP servers, and `ways` how each field reaches the `engine` (None: there is none).
    """

    config: AgentConfig
    values: Mapping[str, Value]
    withheld: Sequence[str]
    trust: str
    problems: Sequence[Problem]
    servers: Merged
    engine: Engine | None
    ways: Mapping[str, FieldWay]


def print_json(shown: Shown, values: Mapping[str, Value]) -> None:
    """Print one JSON object."""
    config = shown.config
    about: dict[str, Any] = {field: getattr(config, field) for field in ("name", "origin", "digest", "workspace")}
    about["values"] = {
        field: {"value": _masked(field, one.value), "origin": one.origin} for field, one in values.items()
    }
    about |= {"prompt": config.prompt, "resources": [asdict(resource) for resource in config.resources]}
    about |= {"withheld": list(shown.withheld), "trust": shown.trust}
    about["servers"] = [{"name": one.name, "origin": one.origin, "kind": one.kind} for one in shown.servers.servers]
    about["leftOut"] = [asdict(one) for one in shown.servers.left_out]
    about["engine"] = shown.engine.name if shown.engine is not None else None
    about["fields"] = {field: asdict(way) for field, way in shown.ways.items()}
    about["problems"] = [problem_object(one) for one in shown.problems]
    show(json.dumps(about, indent=2) + "\n")


def print_tables(shown: Shown, values: Mapping[str, Value]) -> None:
    """Print tables for a person."""
    config = shown.config
    ways = {field: str(way.way) for field, way in shown.ways.items()}
    values_rows = [
        (field, ways.get(field, ""), one.origin, _text(_masked(field, one.value))) for field, one in values.items()
    ]
    engine = shown.engine.name if shown.engine is not None else "an engine"
    print_table(("field", f"with {engine}", "origin", "value"), values_rows)
    show(f"\ntrust: {shown.trust}\n")
    if shown.withheld:
        show(f"not used before that, because of: {', '.join(shown.withheld)}\n")
    _print_servers(shown.servers)
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


def _print_servers(found: Merged) -> None:
    rows = [(server.name, server.kind, server.origin) for server in found.servers]
    rows += [(left.name, f"left out: {left.reason}", left.origin) for left in found.left_out]
    if rows:
        show("\n")
        print_table(("MCP server", "kind", "origin"), rows)


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
