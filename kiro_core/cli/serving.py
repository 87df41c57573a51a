"""Answers an editor before the settings and plugins that its sessions need are loaded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from kiro_core.cli.signals import until_signalled
from kiro_core.cli.text import tell_failure
from kiro_core.engines import default_engine, logins_of
from kiro_core.errors import KiroError

if TYPE_CHECKING:
    from kiro_core.cli.options import Given
    from kiro_core.ports import Agent, Attachable, Client
    from kiro_core.types import PeerInfo

_FACE = "acp"
_PLUGIN = "kiro_acp"
"""The transport, and the module of the plugin that provides it: to find all plugins takes longer than to answer."""


class _AttachingFace(Protocol):
    """A `Face` that asks nothing of a desk but to attach its clients."""

    async def serve(self, desk: Attachable) -> None: ...


class LateDesk:
    """A desk that opens when a client attaches; until then a face asks nothing else of it."""

    def __init__(self, given: Given, agent: str, engine: str, face: str) -> None:
        """Open it later with these; `face` is what serves it."""
        self._face = face
        self._given = given
        self._names = {"agent": agent, "engine": engine}

    def logins(self, client: PeerInfo) -> Sequence[Mapping[str, Any]]:
        """See `Attachable.logins`; what is wrong with the settings is told to every later request."""
        try:
            engine = default_engine(self._given.changes, config=self._given.config, **self._names)
        except KiroError:
            return []
        return logins_of(engine, client) if engine is not None else []

    def not_ready(self) -> str:
        """See `Attachable.not_ready`: it opens with its client, who waits for it."""
        return ""

    @asynccontextmanager
    async def attach(self, client: Client) -> AsyncIterator[Agent]:
        """See `Desk.attach`; leaving ends all sessions.

        Raises on entering:
            SettingsError, UnknownName, PluginError: the desk cannot open, which was told on stderr too.

        """
        attached = False
        try:
            loaded = self._given.load()
            async with (
                self._given.desk(loaded, self._face, **self._names) as desk,
                desk.attach(client) as agent,
            ):
                attached = True
                yield agent
        except KiroError as error:
            if not attached:
                tell_failure(str(error), error.hint)
            raise


def _transport() -> AbstractAsyncContextManager[object]:
    """The transport, by the name of its module; where that does not work, the registry says in a sentence why."""
    try:
        [provider] = import_module(_PLUGIN).kiro_transports()
    except Exception:  # noqa: BLE001 - a plugin is a boundary
        from kiro_core.catalog import Choice
        from kiro_core.registry import Registry

        return Registry(only={_FACE}).transports.open(Choice(_FACE))
    opened: AbstractAsyncContextManager[object] = provider.open(None)
    return opened


async def serve(given: Given, agent: str, engine: str) -> int:
    """Serve until stdin ends or a signal comes: 0, or 128 and the signal's number."""

    async def attended() -> None:
        async with _transport() as transport:
            await cast("_AttachingFace", transport).serve(LateDesk(given, agent, engine, _FACE))

    return await until_signalled(attended)
