"""Which session a call means: the one that it names, or the host's active one, which is opened or begun for it."""

from __future__ import annotations

from kiro_mcp.service.access import Access
from kiro_mcp.service.failing import ToolFailure, in_our_words
from kiro_mcp.service.folders import folder
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.live import Live
from kiro_mcp.service.loading import Loading
from kiro_mcp.service.opening import Opening
from kiro_mcp.service.views import Notice

_LOST = frozenset({"SESSION_NOT_FOUND", "SESSION_BUSY", "INVALID_CONFIG"})
"""How a session is refused that cannot be had again here: it was deleted, somebody has it, or its folder is gone."""


class Choosing:
    """Finds the session of a call, and begins those that there have to be."""

    def __init__(self, ground: Ground, access: Access, opening: Opening, loading: Loading) -> None:
        """Find what is open by `access`; what is not is loaded or opened."""
        self._table = ground.table
        self._notices = ground.notices
        self._options = ground.options
        self._access = access
        self._opening = opening
        self._loading = loading

    async def live(self, host: Host, session_id: str) -> Live:
        """The session that a call works in; a connected host that names none and has none active gets a new one.

        An active one that has ended by itself is opened again, and if that cannot be, another one is begun: a notice
        tells which.

        Raises:
            ToolFailure: as `new`; SESSION_NOT_FOUND; SESSION_INACTIVE, it is stored and not open here, or being ended.

        """
        if session_id or not host.connected:
            return await self._access.usable(host, session_id)
        # Of two calls at a time, the second one works in the session that the first one gets.
        async with host.choosing:
            return await self._active(host)

    async def new(self, host: Host, agent: str = "", engine: str = "", working_directory: str = "") -> Live:
        """See `Sessions.create`."""
        cwd = str(folder(self._options, working_directory))
        with in_our_words():
            live = await self._opening.new(host, cwd, agent=agent, engine=engine)
        if host.connected and host.active not in self._table.lives:
            host.active = live.id
        return live

    async def _active(self, host: Host) -> Live:
        while (live := self._table.lives.get(host.active)) is not None and live.ending == "ending":
            await live.ended.wait()
        if live is not None and self._table.sees(host, live.id):
            return await self._access.usable(host)
        return await self._again(host, host.active) if host.active else await self.new(host)

    async def _again(self, host: Host, session_id: str) -> Live:
        """The active session has ended by itself: go on with it, or else in another one, and say so."""
        try:
            live = await self._loading.load(host, session_id, "", "")
            told = Notice("session_reopened", f"The session {session_id} had ended, and was opened again.")
        except ToolFailure as failure:
            if failure.code not in _LOST:
                raise
            live = await self.new(host)
            host.active = live.id
            sentence = f"The session {session_id} has ended, and another one was begun: {failure.sentence}"
            told = Notice("session_replaced", sentence)
        self._notices.add(live.id, told)
        return live
