"""The sockets of one desk: its own, for whoever finds one of its sessions held, and that of a served desk."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from kiro_core.control.front import ControlVerbs, Front
from kiro_core.control.listening import bound, listen
from kiro_core.control.places import own_socket
from kiro_core.errors import Unavailable

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Served:
    """Where a served desk listens besides: `path` is what `claim_served` gave, `verbs` what it can be told.

    `listener` is a socket that a service manager handed over; without it one is made at `path`.
    """

    path: Path
    verbs: ControlVerbs
    listener: socket.socket | None = None


@dataclass(frozen=True, slots=True)
class Doors:
    """Sockets that listen; `path` is that of the desk's own, "" without one."""

    listeners: tuple[socket.socket, ...] = ()
    path: str = ""
    verbs: ControlVerbs | None = None

    @asynccontextmanager
    async def opened(self, front: Front) -> AsyncIterator[None]:
        """Let other processes in while the block runs; see `listen`."""
        async with AsyncExitStack() as stack:
            for listener in self.listeners:
                await stack.enter_async_context(listen(listener, front, self.verbs))
            yield


@contextmanager
def make_doors(face: str, served: Served | None) -> Iterator[Doors]:
    """The sockets of a desk with that face, none without a face; nobody is let in yet, but may wait.

    A desk that cannot listen works all the same, unless it is to be served.

    Raises on entering:
        Unavailable: the served socket cannot be made.

    """
    with ExitStack() as stack:
        listeners = []
        own = own_socket() if face else None
        try:
            if own is not None:
                listeners.append(stack.enter_context(bound(own)))
        except Unavailable as error:
            own = None
            _LOG.warning("other processes cannot share the sessions of this one: %s", error)
        if served is not None:
            listeners.append(served.listener or stack.enter_context(bound(served.path)))
        yield Doors(tuple(listeners), str(own or ""), served.verbs if served else None)
