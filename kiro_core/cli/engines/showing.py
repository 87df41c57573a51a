"""What is known of the agent programs, for people and as JSON."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from kiro_core.cli.failing import DONE
from kiro_core.cli.options import Given
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import one_line, show
from kiro_core.engines import field_ways, installed, load_engines
from kiro_core.engines.choice import engine_called
from kiro_core.types import Engine


def list_all(given: Given, *, as_json: bool) -> int:
    """List every engine."""
    settings, _ = given.load()
    known = list(load_engines(settings.engines).values())
    if as_json:
        _print_json([engine_object(engine) for engine in known])
        return DONE
    rows = [
        (
            engine.name,
            engine.title,
            engine.version,
            engine.seen,
            "yes" if installed(engine) else engine.install,
            " ".join(engine.abilities),
        )
        for engine in known
    ]
    print_table(("engine", "title", "version", "seen", "installed, or how to", "natively"), rows)
    return DONE


def show_one(given: Given, name: str, *, as_json: bool) -> int:
    """Show one engine.

    Raises:
        UnknownName: no engine has the name.

    """
    settings, _ = given.load()
    show_about(engine_object(engine_called(load_engines(settings.engines), name)), as_json=as_json)
    return DONE


def engine_object(engine: Engine) -> dict[str, Any]:
    """Everything that is known of an engine; of its environment only the names."""
    return {
        "name": engine.name,
        "title": engine.title,
        "command": list(engine.command),
        "installed": installed(engine),
        "install": engine.install,
        "version": engine.version,
        "seen": engine.seen,
        "abilities": list(engine.abilities),
        "login": list(engine.login),
        "logins": list(engine.logins),
        "unguarded": list(engine.unguarded),
        "asks": engine.asks,
        "unasked": list(engine.unasked),
        "guard": sorted(engine.guard),
        "agents": engine.agents,
        "fields": {name: {"way": each.way, "reason": each.reason} for name, each in field_ways(engine).items()},
        "reports_mcp": engine.reports_mcp,
        "automatic": engine.automatic,
        "launcher": engine.launcher,
        "transport": engine.transport,
        "env": sorted(engine.env),
        "unset": list(engine.unset),
        "origin": engine.origin,
    }


def show_about(about: Mapping[str, Any], *, as_json: bool) -> None:
    """Print what `engine_object` made, for a person or as JSON."""
    if as_json:
        _print_json(about)
        return
    for name, value in about.items():
        if name != "fields" and (text := _words(name, value)):
            show(one_line(f"{name.replace('_', ' ')}: {text}") + "\n")
    show("\n")
    rows = [(field, told["way"], told["reason"]) for field, told in about["fields"].items()]
    print_table(("agent configuration", "gets there", "how"), rows)


def _words(name: str, value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name in {"command", "login"}:
        return shlex.join(value)
    if name == "logins":
        return "; ".join(str(method.get("id")) for method in value)
    if name == "corrected":
        return "; ".join(f"{field} was {_words(field, each['was']) or 'unknown'}" for field, each in value.items())
    return value if isinstance(value, str) else " ".join(value)


def _print_json(value: Any) -> None:
    show(json.dumps(value, indent=2) + "\n")
