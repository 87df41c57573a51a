"""What `check` finds out: one line for each thing that the settings choose, and for each plugin."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from kiro_core.catalog import USUAL, Choice
from kiro_core.cli.check.children import report_on
from kiro_core.cli.check.chosen import chosen
from kiro_core.cli.failing import DONE, FAILED
from kiro_core.cli.options import Given
from kiro_core.cli.tables import print_table
from kiro_core.cli.text import show, tell
from kiro_core.engines import choose_engine, installed, load_engines
from kiro_core.errors import EngineNotFound, KiroError, SettingsError
from kiro_core.explain import near_miss
from kiro_core.registry import KINDS
from kiro_core.registry.found import Found, installed_plugins
from kiro_core.settings import PluginSettings, Settings, load_settings

FINE = "fine"
BROKEN = "broken"
LEFT_OUT = "left out"
OPEN = "not chosen"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing and how it is, with what to tell in any case; `needed` is False for what nothing depends on."""

    kind: str
    name: str
    outcome: str = FINE
    reason: str = ""
    hint: str = ""
    needed: bool = True
    notices: Sequence[str] = ()


def check_all(given: Given, limit_s: float, *, as_json: bool) -> int:
    """Check everything and print it; 1 when something that is needed is broken."""
    try:
        settings, checks = load_settings(given.changes, config=given.config), [Check("settings", "")]
        found = installed_plugins(settings.plugins.only, settings.plugins.block, strict=False)
        checks += _engines(settings)
    except SettingsError as error:
        # Plugins can be checked all the same, but nothing of them is chosen.
        settings, checks = None, [Check("settings", "", BROKEN, str(error), error.hint)]
        found = installed_plugins(None, (), strict=False)
    reports = _reports(found, settings, limit_s)
    checks += _plugins(found, reports, strict=settings is not None and settings.plugins.strict)
    checks += _clashes(reports)
    if settings is not None:
        checks += _backends(settings, reports)
    broken = any(check.outcome == BROKEN and check.needed for check in checks)
    _print(checks, fine=not broken, as_json=as_json)
    return FAILED if broken else DONE


def print_schema(given: Given, limit_s: float) -> int:
    """Print the schema of the settings; a plugin that cannot be asked is told on stderr."""
    from kiro_core.cli.check.schema import settings_schema

    try:
        plugins = load_settings(given.changes, config=given.config).plugins
    except SettingsError:
        plugins = PluginSettings()  # a schema helps most where the settings are wrong
    found = installed_plugins(plugins.only, plugins.block, strict=False)
    reports = _reports(found, None, limit_s)
    for name, report in reports.items():
        if report["problem"]:
            tell(f"notice: The options of plugin {name!r} are missing: {report['problem']} {report['hint']}")
    show(
        json.dumps(settings_schema([one for report in reports.values() for one in report["provides"]]), indent=2) + "\n"
    )
    return DONE


def _choices(settings: Settings) -> list[tuple[str, Choice, bool]]:
    """What is to be opened, and whether it is to serve sessions."""
    transport = KINDS["kiro_transports"]
    return [(kind, choice, kind == transport and choice in settings.serve) for kind, choice in chosen(settings)]


def _reports(found: Sequence[Found], settings: Settings | None, limit_s: float) -> Mapping[str, dict[str, Any]]:
    """What each plugin's own process reports; without settings nothing is chosen."""
    names = dict.fromkeys(plugin.name for plugin in found if not plugin.excluded)
    if sys.stderr.isatty():
        tell(f"Loads {len(names)} plugins, each in a process of its own; waits at most {limit_s:g} s.")
    if settings is None:
        return report_on(names, (), USUAL, limit_s)
    return report_on(names, _choices(settings), settings.limits.backends, limit_s)


def _engines(settings: Settings) -> Iterator[Check]:
    engines = load_engines(settings.engines)
    here = [name for name, engine in engines.items() if installed(engine)]
    yield Check("engines", "", reason=f"installed: {', '.join(here)}")
    named = {"": settings.engine, **{f" for {agent}": name for agent, name in settings.agent_engines.items()}}
    for place, name in named.items():
        try:
            engine = choose_engine(engines, default=name).engine
        except KiroError as error:
            # Without a name in the settings a session has to be told which one to take.
            outcome = OPEN if isinstance(error, EngineNotFound) and not name else BROKEN
            yield Check("engine" + place, name, outcome, str(error), error.hint)
        else:
            yield Check("engine" + place, engine.name)


def _plugins(found: Sequence[Found], reports: Mapping[str, dict[str, Any]], *, strict: bool) -> Iterator[Check]:
    for plugin in found:
        if plugin.excluded:
            yield Check("plugin", plugin.name, LEFT_OUT, plugin.excluded, needed=False)
            continue
        report = reports[plugin.name]
        provides = ", ".join(f"{one['kind']} {one['name']}" for one in report["provides"])
        outcome, reason = (BROKEN, report["problem"]) if report["problem"] else (FINE, provides)
        yield Check("plugin", plugin.name, outcome, reason, report["hint"], needed=strict, notices=report["notices"])


def _clashes(reports: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    owners: dict[tuple[str, str], str] = {}
    for plugin, report in reports.items():
        for one in report["provides"]:
            owner = owners.setdefault((one["kind"], one["name"]), plugin)
            if owner != plugin:
                reason = f"It comes from both plugin {owner!r} and plugin {plugin!r}."
                hint = f'Block one of them, for example with plugins.block = ["{plugin}"] in the settings.'
                yield Check(one["kind"], one["name"], BROKEN, reason, hint)


def _backends(settings: Settings, reports: Mapping[str, dict[str, Any]]) -> Iterator[Check]:
    opened = [one for report in reports.values() for one in report["opened"]]
    for kind, name in dict.fromkeys((kind, choice.use) for kind, choice in chosen(settings)):
        mine = [one for one in opened if (one["kind"], one["name"]) == (kind, name)]
        if not mine:
            yield _unopened(kind, name, reports)
        works = "a session can be written" if kind == KINDS["kiro_stores"] else "it opens"
        for one in mine:
            outcome = BROKEN if one["problem"] else FINE
            yield Check(kind, name, outcome, one["problem"] or works, one["hint"])


def _unopened(kind: str, name: str, reports: Mapping[str, dict[str, Any]]) -> Check:
    """Why something that is chosen was not even tried to its end."""
    provided = {one["name"]: report for report in reports.values() for one in report["provides"] if one["kind"] == kind}
    if name in provided:
        return Check(kind, name, BROKEN, provided[name]["problem"], provided[name]["hint"])
    reason = f"No plugin that loads provides it{near_miss(name, provided)}"
    return Check(kind, name, BROKEN, reason, f"Available: {', '.join(sorted(provided)) or 'none'}.")


def _print(checks: Sequence[Check], *, fine: bool, as_json: bool) -> None:
    if as_json:
        show(json.dumps({"fine": fine, "checks": [asdict(check) for check in checks]}, indent=2) + "\n")
        return
    print_table(("what", "name", "outcome", "why"), [(one.kind, one.name, one.outcome, one.reason) for one in checks])
    for one in checks:
        called = f"{one.kind} {one.name}".strip()
        for notice in one.notices:
            tell(f"notice: {called}: {notice}")
        if one.outcome == BROKEN and one.hint:
            tell(f"{called}: {one.hint}")
