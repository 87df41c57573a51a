"""The plugin hooks: synchronous, called once at load, each yields named providers of one Protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pluggy

from kiro_core.ports import AgentSource, Face, Launcher, SessionStore, Wire
from kiro_core.provider import Provider

PROJECT = "kiro_core"
"""The name of the hooks' project and of the entry-point group."""

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class KiroSpecs:
    """Called once, at load. Hooks declare; providers do."""

    @hookspec
    def kiro_agents(self) -> Iterable[Provider[AgentSource, Any]]:
        """Sources of agent configurations; the settings name an ordered list."""
        return ()

    @hookspec
    def kiro_stores(self) -> Iterable[Provider[SessionStore, Any]]:
        """Session stores; the settings name one."""
        return ()

    @hookspec
    def kiro_launchers(self) -> Iterable[Provider[Launcher, Any]]:
        """Ways to start an agent program; the settings name a default, an engine may name its own."""
        return ()

    @hookspec
    def kiro_transports(self) -> Iterable[Provider[Wire | Face, Any]]:
        """Protocols: towards agents (`Wire`, chosen per engine), towards clients (`Face`), or both.

        And towards agents that use the tools of their crews (`ToolServer`, chosen by `crew.server`).
        """
        return ()
