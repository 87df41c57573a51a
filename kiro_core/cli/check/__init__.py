"""Tells whether everything that the settings choose works, before a session needs it."""

from __future__ import annotations

import click

from kiro_core.cli.commands import example
from kiro_core.cli.options import Given, command

_PLUGIN_S = 20


@click.command(epilog=example("kiro-core check", "kiro-core check --schema > kiro-core.schema.json"))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option(
    "--schema", is_flag=True, help="Print the JSON schema of the settings, with all options of what is installed."
)
@click.option(
    "--timeout",
    "limit_s",
    metavar="SECONDS",
    type=click.FloatRange(min=0, min_open=True),
    default=_PLUGIN_S,
    show_default=True,
    help="So long a plugin may take to load and to open.",
)
@command
def check(given: Given, *, as_json: bool, schema: bool, limit_s: float) -> int:
    """Check settings, plugins, the chosen backends and engines.

    Each plugin is loaded in a process of its own, so that one that hangs or crashes is only told. The
    exit code is 1 when something that is chosen is broken.
    """
    from kiro_core.cli.check import finding

    return finding.print_schema(given, limit_s) if schema else finding.check_all(given, limit_s, as_json=as_json)
