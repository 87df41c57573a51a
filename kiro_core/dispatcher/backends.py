"""Open every backend that the settings choose, in the order in which they are closed again."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

from kiro_core.catalog import Catalog, Choice
from kiro_core.dispatcher.reloading import Reloaded, merged
from kiro_core.engines import load_engines
from kiro_core.errors import PluginError
from kiro_core.middleware import Middlewares
from kiro_core.ports import AgentSource, Face, Launcher, SessionStore, ToolServer, Wire
from kiro_core.registry import Registry
from kiro_core.session import Tools
from kiro_core.settings import Settings
from kiro_core.types import NO_CONTACT, Contact, Engine

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class Backends:
    """What a desk works with; a launcher's name is `""` for the one of the settings. Only `reload` changes it."""

    settings: Settings
    engines: Mapping[str, Engine]
    store: SessionStore
    sources: Sequence[AgentSource]
    launchers: Mapping[str, Launcher]
    wires: Mapping[str, Wire]
    transports: Catalog[Any]
    contact: Contact = NO_CONTACT
    middlewares: Middlewares = field(default_factory=Middlewares)

    def tools(self, engine: Engine) -> Tools:
        """The backends for a session with that engine."""
        launcher, wire = self.launchers[engine.launcher], self.wires[engine.transport]
        settings = self.settings
        strict = settings.durability == "strict"
        return Tools(
            self.store,
            launcher,
            wire,
            settings.limits,
            settings.recovery,
            settings.waiting_prompts,
            settings.swap_when_busy,
            settings.when_left,
            strict=strict,
            allow_unguarded=settings.allow_unguarded,
            fail_closed=settings.triggers.fail_closed,
            message_days=settings.crew.message_days,
            contact=self.contact,
            middlewares=self.middlewares,
        )

    def require_tool_server(self) -> None:
        """Make sure that somebody provides what serves the tools of crews; nothing is opened or imported for that.

        Raises:
            UnknownName: nobody does.

        """
        self.transports.get(self.settings.crew.server.use)

    @asynccontextmanager
    async def tool_server(self) -> AsyncIterator[ToolServer]:
        """Open what serves the tools of crews.

        Raises on entering:
            UnknownName, SettingsError, PluginError: it cannot be had.

        """
        choice = self.settings.crew.server
        async with self.transports.open(choice, self.settings.limits.backends) as server:
            if not hasattr(server, "serve_tools"):
                raise PluginError(
                    f"Transport '{choice.use}' serves no tools of a crew to agents.",
                    hint="Name one that does as the setting `crew.server`.",
                )
            yield server

    def reload(self, settings: Settings) -> Reloaded:
        """Go on with other settings, as far as what is open allows; sessions that live keep what they began with.

        Raises:
            SettingsError: an engine cannot be used; nothing has changed then.

        """
        engines = load_engines(settings.engines).values()
        unreachable = [e.name for e in engines if e.launcher not in self.launchers or e.transport not in self.wires]
        self.settings, report = merged(self.settings, settings, unreachable)
        self.engines = load_engines(self.settings.engines)
        return report

    async def sweep(self) -> None:
        """End what killed desks left behind, and log what that was; nothing that fails there is a desk's business."""
        for launcher in self.launchers.values():
            try:
                for left in await launcher.sweep():
                    _LOG.warning(
                        "ended what a killed desk had left of %s (%s): processes: %d",
                        *(left.program, left.identity, left.ended),
                    )
            except Exception:  # noqa: BLE001 - a boundary: a desk works without its launchers' sweep as well
                _LOG.exception("a launcher could not end what killed desks left behind")


@asynccontextmanager
async def open_backends(
    settings: Settings, registry: Registry, contact: Contact = NO_CONTACT
) -> AsyncIterator[Backends]:
    """Open store, agent sources, launchers, wires and middlewares; `contact` is how the desk can be reached.

    Raises on entering:
        UnknownName, SettingsError, PluginError: a choice names nothing, or something with wrong options.

    """
    engines, within = load_engines(settings.engines), settings.limits.backends
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(registry.stores.open(settings.store, within))
        sources = [
            await stack.enter_async_context(registry.agents.open(choice, within)) for choice in settings.agent_sources
        ]
        launchers = {"": await stack.enter_async_context(registry.launchers.open(settings.launcher, within))}
        for name in sorted({engine.launcher for engine in engines.values()} - {""}):
            launchers[name] = await stack.enter_async_context(registry.launchers.open(Choice(name), within))
        wires = {}
        for name in sorted({engine.transport for engine in engines.values()}):
            transport = await stack.enter_async_context(registry.transports.open(Choice(name), within))
            wires[name] = _wire(name, transport)
        middlewares = Middlewares(
            [
                (choice.use, await stack.enter_async_context(registry.middlewares.open(choice, within)))
                for choice in settings.middlewares
            ]
        )
        yield Backends(settings, engines, store, sources, launchers, wires, registry.transports, contact, middlewares)


def _wire(name: str, transport: Wire | Face) -> Wire:
    if not hasattr(transport, "connect"):
        raise PluginError(
            f"Transport '{name}' serves clients only; an engine cannot be reached by it.",
            hint="Name a transport that connects to agents as the engine's transport.",
        )
    return cast("Wire", transport)
