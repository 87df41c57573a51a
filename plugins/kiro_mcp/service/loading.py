"""Sessions that come back: from the store, or out of an archive."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator
from typing import BinaryIO

from anyio import to_thread

from kiro_core.errors import ArchiveInvalid, Held
from kiro_core.types import SessionId, SessionInfo
from kiro_mcp.service.access import Access
from kiro_mcp.service.failing import ToolFailure, in_our_words
from kiro_mcp.service.folders import below, explained, folder, unusable
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.live import Live
from kiro_mcp.service.opening import Opening

_CHUNK = 262144
_HINT = "Name a file that kiro_session_save has written: what it returned as save_path."


class Loading:
    """Finds what is to be loaded, and has it opened."""

    def __init__(self, ground: Ground, access: Access, opening: Opening) -> None:
        """Open by `opening`."""
        self._desk = ground.desk
        self._options = ground.options
        self._access = access
        self._opening = opening

    async def load(self, host: Host, session_id: str, path: str, working_directory: str) -> Live:
        """See `Sessions.load`."""
        _require_one(session_id, path)
        cwd = str(folder(self._options, working_directory)) if working_directory else ""
        info = await self._stored(session_id) if session_id else await self._imported(path)
        try:
            with in_our_words():
                live = await self._opening.stored(host, info, cwd)
            return await self._access.usable(host, live.id)
        except ToolFailure as failure:
            # One that came out of an archive is stored by now: its id is what a second try needs.
            failure.details.setdefault("session_id", info.id)
            raise

    async def _stored(self, session_id: str) -> SessionInfo:
        try:
            return await self._access.stored(session_id)
        except ToolFailure as failure:
            if failure.code != "SESSION_NOT_FOUND":
                raise
            sentence = f"No session {session_id} is stored."
            hint = "kiro_session_search finds those that are."
            raise ToolFailure(failure.code, sentence, hint=hint, details=failure.details) from failure

    async def _imported(self, path: str) -> SessionInfo:
        """Store the session of an archive."""
        with explained(path, _HINT):
            where = str(below(self._options, path))
        try:
            with in_our_words():
                return await self._desk.import_session(read_archive(where))
        except ToolFailure as failure:
            cause = failure.__cause__
            if isinstance(cause, ArchiveInvalid):
                details = {**failure.details, "path": where}
                raise ToolFailure("INVALID_CONFIG", failure.sentence, hint=_HINT, details=details) from cause
            if isinstance(cause, Held):
                raise await self._is_there(where, cause) from cause
            raise

    async def _is_there(self, path: str, held: Held) -> ToolFailure:
        """What the desk says of it is left out as a cause: nobody need have it open."""
        session = str(held.details.get("session", ""))
        with in_our_words():
            trashed = (await self._desk.info(SessionId(session))).trashed
        open_it = f'kiro_session_load with the session_id "{session}".'
        hint = f"Get it back first: kiro-core sessions restore {session}" if trashed else f"Open that: {open_it}"
        details = {"session_id": session, "path": path}
        return ToolFailure("SESSION_ALREADY_EXISTS", held.sentence, hint=hint, details=details)


def _require_one(session_id: str, path: str) -> None:
    if bool(session_id) != bool(path):
        return
    hint = "Name a stored session as session_id, or the file of an archive as path."
    wrong = "takes a session_id or a path, not both" if path else "needs a session_id or a path"
    raise ToolFailure("INVALID_COMMAND", f"kiro_session_load {wrong}.", hint=hint)


async def read_archive(path: str) -> AsyncIterator[bytes]:
    """The bytes of a file, in pieces.

    Raises:
        ToolFailure: INVALID_CONFIG, it is no file that can be read.

    """
    with explained(path, _HINT):
        file = await to_thread.run_sync(_opened_file, path)
        with file:
            while chunk := await to_thread.run_sync(file.read, _CHUNK):
                yield chunk


def _opened_file(path: str) -> BinaryIO:
    # A pipe that nobody writes to would never open.
    fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    kind = os.fstat(fd).st_mode
    if stat.S_ISREG(kind):
        return os.fdopen(fd, "rb")
    os.close(fd)
    raise unusable(path, "is a folder" if stat.S_ISDIR(kind) else "is no file", _HINT)
