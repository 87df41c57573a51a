"""Shows which plugins there are, what each provides, and why one is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from kiro_core.cli.commands import example
from kiro_core.cli.options import Given, command
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import show

if TYPE_CHECKING:
    from kiro_core.registry import Registry


@click.command(epilog=example("kiro-core plugins", "kiro-core plugins --json"))
@click.option("--json", "as_json", is_flag=True, help="Print a JSON array.")
@command
def plugins(given: Given, *, as_json: bool) -> int:
    """List plugins, what they provide, and why one is missing."""
    from kiro_core.registry import Registry
    from kiro_core.settings import load_settings

    chosen = load_settings(given.changes, config=given.config).plugins
    # Not strict: what is wrong with a plugin is what this is for.
    listed = _listed(Registry(only=chosen.only, block=chosen.block, listing=True))
    if as_json:
        show(json.dumps(listed, indent=2) + "\n")
        return 0
    rows = []
    for plugin in listed:
        what = [f"{one['kind']} {one['name']}: {one['summary']}".removesuffix(": ") for one in plugin["provides"]]
        for number, line in enumerate(what or [plugin["problem"]]):
            about = ["", "", ""] if number else [plugin[key] for key in ("name", "distribution", "version")]
            rows.append([*about, line])
    print_table(("plugin", "distribution", "version", "provides"), rows)
    return 0


def _listed(registry: Registry) -> list[dict[str, Any]]:
    """One object a plugin: `{name, distribution, version, provides: [{kind, name, summary}], problem}`."""
    catalogs = (registry.agents, registry.stores, registry.launchers, registry.transports)
    listed = []
    for plugin in registry.plugins:
        provides = [
            {"kind": catalog.kind, "name": name, "summary": entry.provider.summary}
            for catalog in catalogs
            for name, entry in catalog.entries.items()
            if entry.plugin is plugin
        ]
        about = {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
        listed.append({**about, "provides": provides, "problem": plugin.problem})
    return listed
