"""Sessions that come back: from the store, or out of an archive."""

from __future__ import annotations

from pathlib import Path

from kiro_core.errors import Held
from kiro_core.types import SessionInfo
from kiro_mcp.service.access import Access
from kiro_mcp.service.failing import ToolFailure, in_our_words
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.live import Live
from kiro_mcp.service.opening import Opening, folder
from kiro_mcp.service.saving import read_archive


class Loading:
    """Finds what is to be loaded, and has it opened."""

    def __init__(self, ground: Ground, access: Access, opening: Opening) -> None:
        """Open by `opening`."""
        self._desk = ground.desk
        self._base = ground.options.working_directory
        self._access = access
        self._opening = opening

    async def load(self, host: Host, session_id: str, path: str, working_directory: str) -> Live:
        """See `Sessions.load`."""
        info = await self._access.stored(session_id) if session_id else await self._imported(path)
        try:
            with in_our_words():
                return await self._opening.stored(host, info, self._folder(info, working_directory))
        except ToolFailure as failure:
            # One that came out of an archive is stored by now: its id is what a second try needs.
            failure.details.setdefault("session_id", info.id)
            raise

    def _folder(self, info: SessionInfo, working_directory: str) -> str:
        return folder(self._base, working_directory) if working_directory else folder(info.cwd)

    async def _imported(self, path: str) -> SessionInfo:
        """Store the session of an archive."""
        with in_our_words():
            try:
                return await self._desk.import_session(read_archive(str(Path(Path.cwd(), self._base, path))))
            except Held as error:
                session = str(error.details.get("session", ""))
                hint = "Open the one that is there: kiro_session_load with its session_id."
                details = {"session_id": session, "cause": error.code}
                raise ToolFailure("SESSION_ALREADY_EXISTS", str(error), hint=hint, details=details) from error
