"""The connections over which agents reach the tools of their crews: each is its session's, and ends with it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from kiro_core.crew.tools import BoundCrew
from kiro_core.crew.tools_given import is_token
from kiro_core.dispatcher.backends import Backends
from kiro_core.errors import unwrapped
from kiro_core.ports import ByteStream
from kiro_core.session import Session
from kiro_core.types import SessionId

if TYPE_CHECKING:
    from kiro_core.dispatcher.desk import Dispatcher

_LOG = logging.getLogger(__name__)
_CONNECTIONS = 4
"""Of one session at a time: agents try a server before they use it, or start it anew when they believe it lost."""


class CrewTools:
    """Serves agents in `tasks`, and costs nothing until the first one comes."""

    def __init__(self, desk: Dispatcher, backends: Backends, tasks: TaskGroup) -> None:
        """Nobody is here."""
        self._desk = desk
        self._backends = backends
        self._tasks = tasks
        self._open: dict[SessionId, set[anyio.CancelScope]] = {}

    def enter(self, token: str, stream: ByteStream) -> bool:
        """See `Front.enter`."""
        session = self._holder(token)
        if session is None:
            return False
        open_ = self._open.setdefault(session.plan.info.id, set())
        if len(open_) >= _CONNECTIONS:
            _LOG.info("session %s: its agent has %d connections to its tools already", session.plan.info.id, len(open_))
            return False
        scope = anyio.CancelScope()
        open_.add(scope)
        self._tasks.start_soon(self._serve, session, stream, scope)
        return True

    def used_by(self, session: SessionId) -> bool:
        """See `Ground.uses_tools`."""
        return session in self._open

    def leave(self, session: SessionId) -> None:
        """A session has ended: nothing more is done for it."""
        for scope in self._open.pop(session, ()):
            scope.cancel()

    def _holder(self, token: str) -> Session | None:
        """All are compared, so that the time that it takes tells nothing."""
        found = [one for one in self._desk.live.values() if is_token(token, one.plan.servers)]
        return found[0] if found and not found[0].closing else None

    async def _serve(self, session: Session, stream: ByteStream, scope: anyio.CancelScope) -> None:
        try:
            with scope, unwrapped():
                async with self._backends.tool_server() as server:
                    crew = BoundCrew(session.plan.info, self._desk.crew, lambda: session.inbox.hops)
                    await server.serve_tools(crew, stream)
        except Exception:  # noqa: BLE001 - a connection is a boundary: its failure ends neither desk nor session
            _LOG.exception("session %s: a connection to the tools of its crew failed", session.plan.info.id)
        finally:
            self._open.get(session.plan.info.id, set()).discard(scope)
            with anyio.CancelScope(shield=True):
                await stream.aclose()
