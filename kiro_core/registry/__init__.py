"""Loads the plugins and keeps who provides what, so that a name in the settings finds its backend."""

from __future__ import annotations

import logging
import sys
from collections.abc import Collection, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from time import perf_counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import pluggy

from kiro_core.catalog import Catalog, Entry, PluginInfo
from kiro_core.errors import KiroError, PluginError
from kiro_core.explain import in_words
from kiro_core.ports import AgentSource, Face, Launcher, Middleware, SessionStore, Wire
from kiro_core.provider import AnyProvider
from kiro_core.registry.declared import declared, deprecations
from kiro_core.registry.found import CORE, Found, given, installed_plugins
from kiro_core.specs import PROJECT, KiroSpecs, ports_of

if TYPE_CHECKING:
    from kiro_core.settings import Settings

KINDS: Final = {
    "kiro_agents": "agent source",
    "kiro_stores": "store",
    "kiro_launchers": "launcher",
    "kiro_transports": "transport",
    "kiro_middlewares": "middleware",
}
"""Each plugin hook and the word for what it provides."""

SLOW_IMPORT_S = 0.3
"""From here on people are told how long a plugin takes to import."""

_LOG = logging.getLogger(__name__)
_Loaded = tuple[PluginInfo, list[tuple[str, AnyProvider]]]


class Registry:
    """The plugins of one program: built once, then read-only; two in one process do not know each other."""

    plugins: Final[tuple[PluginInfo, ...]]
    agents: Final[Catalog[AgentSource]]
    stores: Final[Catalog[SessionStore]]
    launchers: Final[Catalog[Launcher]]
    transports: Final[Catalog[Wire | Face]]
    middlewares: Final[Catalog[Middleware]]

    def __init__(
        self,
        *plugins: object,
        installed: bool = True,
        only: Collection[str] | None = None,
        block: Collection[str] = (),
        strict: bool = False,
        listing: bool = False,
    ) -> None:
        """Load `plugins` (modules or other objects), then the installed ones (entry points of `kiro_core`).

        `only` and `block` hold names of entry points; what they exclude is not even imported, and listed
        with that reason. An installed plugin that fails is listed with its reason, or raises with `strict`,
        unless what it lacks is an extra.
        `listing` is for whoever only shows what there is: a name that is taken already is listed too, as
        the problem of the plugin that comes second.

        Raises:
            SettingsError: `only` or `block` has a name that no installed plugin has.
            PluginError: one of `plugins` cannot be used, or two plugins provide one name.

        """
        hooks = pluggy.PluginManager(PROJECT)
        hooks.add_hookspecs(KiroSpecs)
        found = [given(plugin) for plugin in plugins]
        if installed:
            found += installed_plugins(only, block, strict=strict)
        loaded = _without_clashes([_load(hooks, plugin) for plugin in found], listing=listing)
        self.plugins = tuple(info for info, _ in loaded)
        self.agents = _catalog("kiro_agents", loaded)
        self.stores = _catalog("kiro_stores", loaded)
        self.launchers = _catalog("kiro_launchers", loaded)
        self.transports = _catalog("kiro_transports", loaded)
        self.middlewares = _catalog("kiro_middlewares", loaded)

    @property
    def catalogs(self) -> Sequence[Catalog[Any]]:
        """All of them."""
        return (self.agents, self.stores, self.launchers, self.transports, self.middlewares)


def load_plugins(settings: Settings) -> Registry:
    """Load the installed plugins that the settings leave.

    Raises:
        SettingsError, PluginError: see `Registry`.

    """
    chosen = settings.plugins
    return Registry(only=chosen.only, block=chosen.block, strict=chosen.strict)


def _load(hooks: pluggy.PluginManager, found: Found) -> _Loaded:
    info = found.info()
    if found.excluded:
        return replace(info, problem=found.excluded), []
    began = perf_counter()
    try:
        with redirect_stdout(sys.stderr):  # what a plugin prints is no part of what a command does
            plugin = found.load()
            provided = declared(hooks, plugin)
    except KeyboardInterrupt:
        _LOG.warning("plugin %s was being loaded", info)  # whoever waited for it learns what for
        raise
    except BaseException as error:
        # A plugin fails in any way it likes; whichever it is, it is recorded or raised as our own error.
        reason, hint = _reason(error, found)
        if found.required and not (found.optional and isinstance(error, ModuleNotFoundError)):
            raise PluginError(f"Plugin {info} cannot be used: {reason}", hint=hint, plugin=found.name) from error
        return replace(info, problem=f"{reason} {hint}".strip()), []
    took = perf_counter() - began
    if took > SLOW_IMPORT_S:
        _LOG.info("plugin %s took %.1f s to import", info, took)
    provides = tuple(f"{KINDS[hook]} {provider.name}" for hook, provider in provided)
    return replace(info, provides=provides, import_s=took, deprecations=deprecations(hooks, plugin)), provided


def _reason(error: BaseException, found: Found) -> tuple[str, str]:
    """Why a plugin failed, and the way out where one is known."""
    if isinstance(error, KiroError):
        reason, hint = str(error), error.hint
    else:
        reason, hint = in_words(error), found.install if isinstance(error, ImportError) else ""
    from kiro_core.registry.support import unsupported

    return reason, f"{unsupported(found.info())} {hint}".strip()


def _without_clashes(loaded: Sequence[_Loaded], *, listing: bool) -> list[_Loaded]:
    """The plugins, of which no two provide one name; the second one raises, or is listed with that as its problem."""
    owners: dict[tuple[str, str], PluginInfo] = {}
    kept: list[_Loaded] = []
    for info, provided in loaded:
        names = [(hook, provider.name) for hook, provider in provided]
        taken = next((name for name in names if name in owners), None)
        if taken is None:
            owners.update(dict.fromkeys(names, info))
            kept.append((info, provided))
            continue
        clash = _clash(*taken, owners[taken], info)
        if not listing:
            raise clash
        kept.append((replace(info, provides=(), problem=f"{clash} {clash.hint}"), []))
    return kept


def _clash(hook: str, name: str, first: PluginInfo, second: PluginInfo) -> PluginError:
    newcomer = first if second.distribution == CORE else second
    return PluginError(
        f"{KINDS[hook].capitalize()} {name!r} comes from both {first} and {second}.",
        hint=f'Block one of them, for example with plugins.block = ["{newcomer.name}"] in the settings.',
    )


def _catalog(hook: str, loaded: Sequence[_Loaded]) -> Catalog[Any]:
    entries = {
        provider.name: Entry(provider, info)
        for info, provided in loaded
        for of_hook, provider in provided
        if of_hook == hook
    }
    return Catalog(KINDS[hook], MappingProxyType(entries), [info for info, _ in loaded if info.problem], ports_of(hook))
