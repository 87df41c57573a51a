"""How a desk is opened, and in which order all that belongs to it is closed again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import anyio

from kiro_core.control import Served, make_doors, served_socket
from kiro_core.dispatcher.backends import open_backends
from kiro_core.dispatcher.desk import Dispatcher
from kiro_core.dispatcher.own_desk import OwnDesk
from kiro_core.dispatcher.planning import Planner
from kiro_core.dispatcher.sharing import Sharing
from kiro_core.errors import unwrapped
from kiro_core.registry import Registry, load_plugins
from kiro_core.settings import Settings
from kiro_core.types import Contact

_SERVED = "serve"
"""The face of a desk that is there to stay: it does the housekeeping."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What a desk is wanted for; see `open_desk`."""

    agent: str = ""
    engine: str = ""
    face: str = ""
    attach: bool = True
    standalone: bool = False
    served: Served | None = None
    trust_tools: Sequence[str] | None = None


def open_desk(  # noqa: PLR0913 - what a desk is wanted for, all by name
    settings: Settings,
    registry: Registry | None = None,
    *,
    agent: str = "",
    engine: str = "",
    face: str = "",
    attach: bool = True,
    standalone: bool = False,
    served: Served | None = None,
    trust_tools: Sequence[str] | None = None,
) -> AbstractAsyncContextManager[OwnDesk]:
    """Open a desk, for an `async with`; leaving the block ends all its sessions.

    Locks are free and records complete then, or processes are killed. The plugins are those of the `registry`, else
    the installed ones that the settings leave. `agent` and `engine` are names that go before the settings' own;
    `trust_tools` are names or patterns of tools that need no question in any of its sessions, and `*` is all.

    `face` says what it serves ("acp", "run"), for whoever finds one of its sessions held; a desk with a face
    listens at a socket of its own, so that other processes of the user can share its sessions, and its clients
    share theirs: they work in the served desk if one runs, unless it is to be `standalone`, and with
    `attach` they join sessions that another desk has open. With `served` it is the served desk.

    Raises on entering:
        UnknownName, SettingsError, PluginError: something that the settings name cannot be had.
        Unavailable: the served socket cannot be made.

    """
    return opened_desk(settings, registry, Wishes(agent, engine, face, attach, standalone, served, trust_tools))


@asynccontextmanager
async def opened_desk(settings: Settings, registry: Registry | None, wishes: Wishes) -> AsyncIterator[Dispatcher]:
    """See `open_desk`."""
    if registry is None:
        registry = load_plugins(settings)
    served = wishes.served
    with unwrapped(), make_doors(wishes.face, served) as doors:
        contact = Contact(wishes.face, doors.path)
        async with open_backends(settings, registry, contact) as backends, anyio.create_task_group() as beside:
            beside.start_soon(backends.sweep)
            async with anyio.create_task_group() as tasks:
                planner = Planner(backends, wishes.agent, wishes.engine, wishes.trust_tools)
                served_at = served_socket(settings, registry)
                sharing = Sharing(served_at, wishes.attach, wishes.standalone, served is not None)
                desk = Dispatcher(backends, tasks, planner, sharing)
                if wishes.face == _SERVED:
                    beside.start_soon(desk.retention.daily)
                async with doors.opened(desk.reception):
                    try:
                        yield desk
                    finally:
                        await desk.close()
            beside.cancel_scope.cancel()
