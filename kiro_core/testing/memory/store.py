"""The verbs of a store over a dict of sessions, so that its author sees them without any machinery."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

from kiro_core.errors import Held, InboxFull, SessionNotFound
from kiro_core.ports import SessionDb
from kiro_core.ports.storing import check_message, page_of
from kiro_core.testing.memory.db import MemoryDb
from kiro_core.testing.memory.shelf import Shelf
from kiro_core.types import (
    INBOX_MESSAGES,
    NO_CONTACT,
    Contact,
    Message,
    Page,
    Record,
    Report,
    SessionId,
    SessionInfo,
    SessionQuery,
)


class MemoryStore:
    """Implements `SessionStore` for the tasks of one event loop; what it keeps is gone with it."""

    def __init__(self) -> None:
        """Begin with no session."""
        self._shelves: dict[SessionId, Shelf] = {}

    @asynccontextmanager
    async def create(self, info: SessionInfo, contact: Contact = NO_CONTACT) -> AsyncIterator[SessionDb]:
        """See `SessionStore.create`."""
        if info.id in self._shelves:
            raise Held(f"The session {info.id} exists already.", hint="Open it, or choose another id.")
        self._shelves[info.id] = Shelf(info)
        async with self.open(info.id, contact) as db:
            yield db

    @asynccontextmanager
    async def open(self, session: SessionId, contact: Contact = NO_CONTACT) -> AsyncIterator[SessionDb]:
        """See `SessionStore.open`."""
        shelf = self._free(session)
        owner = {"pid": os.getpid(), "here": True, "face": contact.face, "socket": contact.socket}
        try:
            yield MemoryDb(shelf, shelf.take(owner))
        finally:
            shelf.give_back()

    async def get(self, session: SessionId) -> SessionInfo:
        """See `SessionStore.get`."""
        return self._shelf(session).info

    async def holder(self, session: SessionId) -> Mapping[str, Any]:
        """See `SessionStore.holder`."""
        return self._shelf(session).owner

    async def freed(self, session: SessionId) -> None:
        """See `SessionStore.freed`."""
        await self._shelf(session).freed()

    async def list(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """See `SessionStore.list`."""
        return page_of([shelf.info for shelf in self._shelves.values()], query, cursor, limit)

    async def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """See `SessionStore.read`; what is appended while it is read comes with the next reading."""
        for record in [record for record in self._shelf(session).records if record.seq > after]:
            yield record

    async def put(self, session: SessionId, message_id: str, body: bytes) -> bool:
        """See `SessionStore.put`."""
        shelf = self._shelf(session)
        check_message(message_id, body)
        if message_id in shelf.pending or message_id in shelf.settled:
            return False
        if len(shelf.pending) >= INBOX_MESSAGES:
            raise InboxFull(
                f"{INBOX_MESSAGES} messages are pending in the session {session}.", hint="Let it settle some."
            )
        shelf.pending[message_id] = Message(message_id, datetime.now(UTC).isoformat(), body)
        shelf.ring()
        return True

    def wake(self, session: SessionId) -> None:
        """See `SessionStore.wake`."""
        if shelf := self._shelves.get(session):
            shelf.ring()

    async def delete(self, session: SessionId, *, trashed: str = "") -> None:
        """See `SessionStore.delete`."""
        shelf = self._free(session)
        if trashed and shelf.info.trashed != trashed:
            raise SessionNotFound(f"The session {session} is not in the trash since {trashed}.")
        del self._shelves[session]

    async def verify(self, session: SessionId, *, repair: bool = False) -> Report:
        """See `SessionStore.verify`: nothing gets damaged in memory, and so there is nothing to mend."""
        shelf = self._free(session) if repair else self._shelf(session)
        return Report(session, len(shelf.records), shelf.head)

    async def evict(self, session: SessionId, timeout_s: float) -> Mapping[str, Any]:  # noqa: ARG002 - the port's
        """See `SessionStore.evict`: the owner is always whoever asks, and so it is refused."""
        self._free(session)
        return {}

    def _shelf(self, session: SessionId) -> Shelf:
        try:
            return self._shelves[session]
        except KeyError as error:
            raise SessionNotFound(f"There is no session {session}.", hint="List the sessions.") from error

    def _free(self, session: SessionId) -> Shelf:
        shelf = self._shelf(session)
        if shelf.owner:
            raise Held(
                f"The session {session} is held by process {shelf.owner['pid']}.",
                hint="Close it there, or wait until it is free.",
                owner=shelf.owner,
            )
        return shelf
