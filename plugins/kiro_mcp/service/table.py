"""The sessions that are open here, by their ids, and who sees which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from kiro_mcp.options import McpOptions
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.live import Live
from kiro_mcp.service.waking import Bells

_LOAD = "Open it again with kiro_session_load. Or begin another one with kiro_session_create."
_CREATE = "Begin one with kiro_session_create."


class Table:
    """A plain dict, touched only between waits; those that are being opened count for its limit too."""

    def __init__(self, options: McpOptions, bells: Bells) -> None:
        """Begin with none."""
        self.lives: dict[str, Live] = {}
        self.came = anyio.Event()
        self._options = options
        self._bells = bells
        self._opening = 0

    @contextmanager
    def room(self) -> Iterator[None]:
        """Open one more in this block.

        Raises:
            ToolFailure: SESSION_LIMIT_REACHED.

        """
        most = self._options.max_sessions
        if 0 < most <= sum(not live.left for live in self.lives.values()) + self._opening:
            raise ToolFailure(
                "SESSION_LIMIT_REACHED",
                f"{'1 session is' if most == 1 else f'{most} sessions are'} open, and no more are allowed here.",
                hint="End one with kiro_session_end.",
                details={"max_sessions": most},
            )
        self._opening += 1
        try:
            yield
        finally:
            self._opening -= 1

    def add(self, live: Live) -> None:
        """A session is open."""
        self.lives[live.id] = live
        self.came.set()
        self.came = anyio.Event()
        self._bells.changed()

    def give(self, live: Live, host: Host) -> None:
        """A session is one of a host's own."""
        live.left = False
        if host not in live.hosts:
            live.hosts.append(host)
            host.own.add(live.id)

    def leave(self, host: Host) -> list[Live]:
        """A host is gone; the sessions that nobody can use any more."""
        own = [live for live in self.lives.values() if host in live.hosts]
        for live in own:
            live.hosts.remove(host)
            live.left = not live.hosts and self._options.sessions == "own"
        host.own.clear()
        return [live for live in own if live.left]

    def drop(self, live: Live) -> None:
        """A session is not open any more.

        Who ended its active one goes on in the oldest other one of its own, if there is one; any other host learns it
        when it uses it.
        """
        if self.lives.get(live.id) is not live:
            return
        del self.lives[live.id]
        for host in live.hosts:
            host.own.discard(live.id)
        for host in live.ended_by:
            if host.active == live.id:
                host.active = next(
                    (each for each in self.lives if each in host.own and not self.lives[each].ending), ""
                )
        live.watching.cancel()
        self._bells.ring(live.id)
        self._bells.changed()

    def seen_by(self, host: Host) -> list[Live]:
        """What a host sees, oldest first."""
        return [live for live in self.lives.values() if self.sees(host, live.id)]

    def sees(self, host: Host, session_id: str) -> bool:
        """Whether a host sees a session, if it is open here."""
        return self._options.sessions == "all" or session_id not in self.lives or session_id in host.own

    def find(self, host: Host, session_id: str) -> Live:
        """An open session that a host sees; "" is its active one.

        Raises:
            ToolFailure: SESSION_NOT_FOUND, SESSION_INACTIVE.

        """
        wanted = session_id or self.named(host)
        live = self.lives.get(wanted)
        if live is not None and self.sees(host, wanted):
            return live
        raise not_found(wanted) if session_id else inactive(wanted)

    def named(self, host: Host) -> str:
        """The id of a host's active session.

        Raises:
            ToolFailure: SESSION_NOT_FOUND, it has none.

        """
        if host.active:
            return host.active
        if host.connected:
            raise ToolFailure("SESSION_NOT_FOUND", "No session is active.", hint=_CREATE)
        hint = f"Name it as session_id. kiro_session_list tells which there are. {_CREATE}"
        raise ToolFailure("SESSION_NOT_FOUND", "Without a connection no session is active.", hint=hint)


def not_found(session_id: str) -> ToolFailure:
    """No session that a host may know of has that id."""
    hint = "kiro_session_list tells which are open. kiro_session_search finds those that are stored."
    return ToolFailure(
        "SESSION_NOT_FOUND", f"There is no session {session_id}.", hint=hint, details={"session_id": session_id}
    )


def inactive(session_id: str) -> ToolFailure:
    """It is stored, and not open."""
    sentence = f"The session {session_id} is stored, and not open here."
    return ToolFailure("SESSION_INACTIVE", sentence, hint=_LOAD, details={"session_id": session_id})
