"""Finds plugins and imports none of them, so that an excluded or broken one costs the others nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiro_core.catalog import PluginInfo
from kiro_core.errors import SettingsError
from kiro_core.explain import near_miss
from kiro_core.specs import PROJECT

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

CORE = "kiro-core"
"""The distribution of the core and of the bundled plugins."""


@dataclass(frozen=True, slots=True)
class Found:
    """A plugin before it is loaded.

    `required` raises when it fails; `excluded` says why it is not to be loaded; `install` says how to
    get what its import misses, and `optional` that this is an extra, which nobody has to install.
    """

    name: str
    load: Callable[[], object]
    required: bool
    distribution: str = ""
    version: str = ""
    requires: tuple[str, ...] = ()
    excluded: str = ""
    install: str = ""
    optional: bool = False

    def info(self) -> PluginInfo:
        """What is known of it before it is loaded."""
        return PluginInfo(self.name, self.distribution, self.version, requires=self.requires)


def given(plugin: object) -> Found:
    """A plugin that was handed over: a module, or any object with hook implementations."""
    return Found(getattr(plugin, "__name__", type(plugin).__name__), lambda: plugin, required=True)


def installed_plugins(only: Collection[str] | None, block: Collection[str], *, strict: bool) -> list[Found]:
    """What is declared as an entry point, in the order of names.

    Raises:
        SettingsError: `only` or `block` has a name that no entry point has.

    """
    from importlib.metadata import entry_points  # it takes as long as an event loop, and who starts may need none

    points = sorted(entry_points(group=PROJECT), key=lambda point: point.name)
    known = [point.name for point in points]
    _check("only", only or (), known)
    _check("block", block, known)
    releases = {dist: _release(dist) for dist in {point.dist for point in points}}
    excluded = {name: _excluded(name, only, block) for name in known}
    return [_installed(point, releases[point.dist], excluded[point.name], strict=strict) for point in points]


def _excluded(name: str, only: Collection[str] | None, block: Collection[str]) -> str:
    if name in block:
        return "blocked by plugins.block."
    return "" if only is None or name in only else "not in plugins.only."


def _release(dist: Distribution | None) -> tuple[str, str, tuple[str, ...]]:
    """Name, version and what it requires, out of all that it says of itself, which each look at it parses anew."""
    if dist is None:
        return "", "", ()
    told = dist.metadata
    return told["Name"], told["Version"], tuple(told.get_all("Requires-Dist") or ())


def _installed(point: EntryPoint, release: tuple[str, str, tuple[str, ...]], excluded: str, *, strict: bool) -> Found:
    distribution, version, requires = release
    extras = f"[{','.join(point.extras)}]" if point.extras else ""
    install = f"Install what it needs: pip install '{distribution}{extras}'." if extras else ""
    return Found(
        point.name, point.load, strict, distribution, version, requires, excluded, install, optional=bool(extras)
    )


def _check(setting: str, names: Iterable[str], known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise SettingsError(
                f"Settings: plugins.{setting} names {name!r}, which is not an installed plugin{near_miss(name, known)}",
                hint=f"Available: {', '.join(known) or 'none'}.",
            )
