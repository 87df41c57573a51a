"""Shows which agent programs are known, which are installed, and how to get the others."""

from __future__ import annotations

import json
import shlex

import click

from kiro_core.cli.commands import example
from kiro_core.cli.options import Given, command
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import show


@click.command(epilog=example("kiro-core engines", "kiro-core engines --json"))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@command
def engines(given: Given, *, as_json: bool) -> int:
    """List the agent programs that are known."""
    from kiro_core.engines import installed, load_engines

    settings, _ = given.load()
    known = [(engine, installed(engine)) for engine in load_engines(settings.engines).values()]
    if as_json:
        listed = [
            {
                "name": engine.name,
                "title": engine.title,
                "command": list(engine.command),
                "installed": here,
                "origin": engine.origin,
                "install": engine.install,
            }
            for engine, here in known
        ]
        show(json.dumps(listed, indent=2) + "\n")
    else:
        rows = [
            (engine.name, engine.title, shlex.join(engine.command), engine.origin, "yes" if here else engine.install)
            for engine, here in known
        ]
        print_table(("engine", "title", "command", "origin", "installed, or how to"), rows)
    return 0
