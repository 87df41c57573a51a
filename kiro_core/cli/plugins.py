"""Shows which plugins there are, what each provides, and why one is missing."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from kiro_core.cli.commands import example
from kiro_core.cli.options import Given, command
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import show, tell

if TYPE_CHECKING:
    from kiro_core.catalog import PluginInfo
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
    for plugin in listed:
        for notice in plugin["notices"]:
            tell(f"notice: plugin {plugin['name']}: {notice}")
    return 0


def _listed(registry: Registry) -> list[dict[str, Any]]:
    """One object a plugin.

    `{name, distribution, version, provides: [{kind, name, summary}], problem, import_ms, notices}`: the time is that
    of the clock, of this one time, and what several plugins import is in that of the first.
    """
    from kiro_core.registry.support import notices_of

    listed = []
    for plugin in registry.plugins:
        provides = [
            {"kind": catalog.kind, "name": name, "summary": entry.provider.summary}
            for catalog in registry.catalogs
            for name, entry in catalog.entries.items()
            if entry.plugin is plugin
        ]
        about = {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version}
        notices = [] if plugin.problem else [*_slow(plugin), *notices_of(plugin)]
        told = {"import_ms": round(plugin.import_s * 1000), "notices": notices}
        listed.append({**about, "provides": provides, "problem": plugin.problem, **told})
    return listed


def _slow(plugin: PluginInfo) -> list[str]:
    from kiro_core.registry import SLOW_IMPORT_S

    if plugin.import_s <= SLOW_IMPORT_S:
        return []
    return [f"It took {plugin.import_s:.1f} s to import this time, for which every command waits."]
