"""Which session a call is about, whether the host may have it, and what its failures mean to the host."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kiro_core.errors import SessionNotFound
from kiro_core.frames import Frame
from kiro_core.rpc import result
from kiro_core.types import SessionId, SessionInfo
from kiro_mcp.service.failing import ToolFailure, in_our_words
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.live import Live
from kiro_mcp.service.table import inactive, not_found


class Access:
    """The way of every call to its session."""

    def __init__(self, ground: Ground) -> None:
        """Look into the table for what is open, and ask the desk for what is stored."""
        self._desk = ground.desk
        self._agent = ground.agent
        self._table = ground.table

    async def usable(self, host: Host, session_id: str = "") -> Live:
        """The open session that a call is about; "" is the host's active one.

        Raises:
            ToolFailure: SESSION_NOT_FOUND; SESSION_INACTIVE, it is stored and not open here, or is being ended.

        """
        try:
            live = self._table.find(host, session_id)
        except ToolFailure as failure:
            if failure.code == "SESSION_NOT_FOUND" and session_id and await self.readable(host, session_id):
                raise inactive(session_id) from failure
            raise
        if live.ending:
            raise ToolFailure(
                "SESSION_INACTIVE",
                f"The session {live.id} is being ended.",
                hint="If that failed, kiro_session_end tries it again. Then kiro_session_load opens it anew.",
                details={"session_id": live.id, "state": live.ending},
            )
        return live

    async def readable(self, host: Host, session_id: str = "") -> SessionId:
        """The id of a session whose record a host may read, open or not; "" is its active one.

        Raises:
            ToolFailure: SESSION_NOT_FOUND.

        """
        wanted = session_id or self._table.named(host)
        if not self._table.sees(host, wanted):
            raise not_found(wanted)
        if wanted not in self._table.lives:
            await self.stored(wanted)
        return SessionId(wanted)

    async def stored(self, session_id: str) -> SessionInfo:
        """What is known of a stored session.

        Raises:
            ToolFailure: SESSION_NOT_FOUND, there is none, or it is in the trash.

        """
        with in_our_words():
            try:
                info = await self._desk.info(SessionId(session_id))
            except SessionNotFound as error:
                raise not_found(session_id) from error
        if info.trashed:
            raise not_found(session_id)
        return info

    @contextmanager
    def using(self, live: Live) -> Iterator[None]:
        """Ask something about an open session in this block.

        Raises:
            ToolFailure: whatever the desk raises; SESSION_INACTIVE, the session is not open any more.

        """
        with live.used(), in_our_words():
            try:
                yield
            except SessionNotFound as error:
                self._table.drop(live)
                raise inactive(live.id) from error

    async def call(self, live: Live, frame: Frame, failed: str) -> dict[str, Any]:
        """The result of a request about a session; `failed` begins the sentence that says that it was refused.

        Raises:
            ToolFailure: COMMAND_FAILED, COMMAND_TIMEOUT, SESSION_INACTIVE.

        """
        with self.using(live):
            return result(await self._agent.call(frame), failed)
