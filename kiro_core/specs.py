"""The plugin hooks: synchronous, called once at load, each yields named providers of one Protocol."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

import pluggy

from kiro_core.provider import Provider

if TYPE_CHECKING:
    from kiro_core.ports import AgentSource, Face, Launcher, Middleware, SessionStore, ToolServer, Wire

PROJECT = "kiro_core"
"""The name of the hooks' project and of the entry-point group."""


class KiroDeprecation(UserWarning):
    """Something that plugins use goes away, with the version that the text names.

    Python shows it to whoever runs the plugin: a `DeprecationWarning` is shown to hardly anybody.
    """

    def __init__(self, what: str, *, removed_in: str, instead: str) -> None:
        """`what` begins the sentence, `instead` is a sentence that says what to do; `removed_in` is a version."""
        super().__init__(f"{what} goes away with kiro-core {removed_in}. {instead}")


hookspec: Final = pluggy.HookspecMarker(PROJECT)
hookimpl: Final = pluggy.HookimplMarker(PROJECT)


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
    def kiro_transports(self) -> Iterable[Provider[Wire | Face | ToolServer, Any]]:
        """Protocols: towards agents (`Wire`, chosen per engine), towards clients (`Face`), or both.

        And towards agents that use the tools of their crews (`ToolServer`, chosen by `crew.server`).
        """
        return ()

    @hookspec
    def kiro_middlewares(self) -> Iterable[Provider[Middleware, Any]]:
        """What sees, keeps out or rewrites what passes in a session; the settings name an ordered list."""
        return ()


def ports_of(hook: str) -> tuple[type, ...]:
    """The Protocols of one hook, as its annotation has them: each of its providers opens one of them."""
    from kiro_core import ports  # whoever starts pays for each of them

    known = {name: getattr(ports, name) for name in ports.__all__}
    (provider,) = get_args(get_type_hints(getattr(KiroSpecs, hook), localns=known)["return"])
    port = get_args(provider)[0]
    return get_args(port) or (port,)
