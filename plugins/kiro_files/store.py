"""The store of one folder: hand out sessions to hold, and let anybody read without holding."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import anyio
from anyio import to_thread

from kiro_core.ports import SessionDb
from kiro_core.types import NO_CONTACT, Contact, Page, Record, Report, SessionId, SessionInfo, SessionQuery
from kiro_files import metadata
from kiro_files.checking import check_session, repair_session, require_any
from kiro_files.committing import Committer
from kiro_files.db import FileDb
from kiro_files.evicting import evict_owner
from kiro_files.files import Files, is_id
from kiro_files.lease import holder
from kiro_files.listing import list_page
from kiro_files.opening import Holding, create_session, open_session
from kiro_files.putting import put_message
from kiro_files.reading import read_records
from kiro_files.refusals import explained
from kiro_files.removing import delete_session
from kiro_files.waiting import wait_until_free
from kiro_files.waking import Bell

_PUTTERS = 8


class FileStore:
    """Sessions as files in one folder, which appears with the first session."""

    def __init__(self, root: Path) -> None:
        """`root` is absolute; nothing is touched yet."""
        self._root = root
        self._committer = Committer()
        # Whoever has one inbox locked and is stopped keeps no thread from what is done with other sessions.
        self._putters = anyio.CapacityLimiter(_PUTTERS)
        self._bells = WeakValueDictionary[SessionId, Bell]()

    def close(self) -> None:
        """Let go of what the store has for itself; sessions that are still held stay as they are."""
        self._committer.close()

    @asynccontextmanager
    async def create(self, info: SessionInfo, contact: Contact = NO_CONTACT) -> AsyncIterator[SessionDb]:
        """Make a session and hold it.

        Raises on entering:
            ValueError: the id is not a canonical lower-case UUID.
            Held, RecordInvalid, Unavailable.

        """
        if not is_id(info.id):
            message = f"A session's id is a lower-case UUID, not {info.id!r}."
            raise ValueError(message)
        files = Files(self._root, info.id)
        async with self._held(files, lambda: create_session(files, info, contact)) as db:
            yield db

    @asynccontextmanager
    async def open(self, session: SessionId, contact: Contact = NO_CONTACT) -> AsyncIterator[SessionDb]:
        """Hold a session that exists.

        Raises on entering:
            SessionNotFound, Held, RecordInvalid, Unavailable.

        """
        files = Files(self._root, session)
        async with self._held(files, lambda: open_session(files, contact)) as db:
            yield db

    async def get(self, session: SessionId) -> SessionInfo:
        """See `SessionStore.get`; also Unavailable."""
        files = Files(self._root, session)
        with explained(f"The session {session} could not be read"):
            info, _ = await to_thread.run_sync(metadata.load, files, abandon_on_cancel=True)
        return info

    async def holder(self, session: SessionId) -> Mapping[str, Any]:
        """See `SessionStore.holder`."""
        files = Files(self._root, session)
        with explained(f"Nothing tells who holds the session {session}"):
            await to_thread.run_sync(metadata.require, files, abandon_on_cancel=True)
            return await to_thread.run_sync(holder, files, abandon_on_cancel=True)

    async def freed(self, session: SessionId) -> None:
        """See `SessionStore.freed`."""
        files = Files(self._root, session)
        with explained(f"Nothing tells when the session {session} is free"):
            await to_thread.run_sync(metadata.require, files, abandon_on_cancel=True)
            await wait_until_free(files)

    async def list(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """Metadata of matching sessions, the newest `updated` first.

        Raises:
            ValueError: the cursor is not one of ours, or the limit is less than 1.
            Unavailable.

        """
        with explained(f"The sessions in {self._root} could not be listed"):
            return await to_thread.run_sync(list_page, self._root, query, cursor, limit, abandon_on_cancel=True)

    async def put(self, session: SessionId, message_id: str, body: bytes) -> bool:
        """See `SessionStore.put`."""
        files = Files(self._root, session)
        with explained(f"No message could be put into the inbox of the session {session}"):
            new = await to_thread.run_sync(put_message, files, message_id, body, limiter=self._putters)
        self.wake(session)
        return new

    def wake(self, session: SessionId) -> None:
        """See `SessionStore.wake`."""
        if bell := self._bells.get(session):
            bell.ring()

    async def delete(self, session: SessionId, *, trashed: str = "") -> None:
        """Remove a session with all its files, durable on return; with `trashed`, if it is in the trash since then.

        Raises:
            SessionNotFound, Held, RecordInvalid, Unavailable.

        """
        files = Files(self._root, session)
        with explained(f"The session {session} could not be deleted in {self._root}"):
            await to_thread.run_sync(delete_session, files, trashed)

    def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """See `read_records`."""
        return read_records(self._root, session, after)

    async def verify(self, session: SessionId, *, repair: bool = False) -> Report:
        """See `SessionStore.verify`."""
        files = Files(self._root, session)
        with explained(f"The session {session} could not be checked in {self._root}"):
            return await to_thread.run_sync(repair_session if repair else check_session, files)

    async def evict(self, session: SessionId, timeout_s: float) -> Mapping[str, Any]:
        """See `SessionStore.evict`."""
        files = Files(self._root, session)
        with explained(f"The session {session} could not be taken over"):
            await to_thread.run_sync(require_any, files)
            return await evict_owner(files, timeout_s)

    @asynccontextmanager
    async def _held(self, files: Files, take: Callable[[], Holding]) -> AsyncIterator[FileDb]:
        with explained(f"The session {files.id} could not be opened in {files.folder}"):
            holding = await to_thread.run_sync(take)
        db = FileDb(files, holding, self._committer)
        self._bells[files.id] = db.bell
        try:
            yield db
        finally:
            await db.leave()
