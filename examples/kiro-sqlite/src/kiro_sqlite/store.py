"""The store of one file: hand out sessions to hold, and let anybody read without holding."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from weakref import WeakValueDictionary

from kiro_core.errors import KiroError, SessionNotFound, Unavailable
from kiro_core.ports import SessionDb
from kiro_core.ports.storing import check_message
from kiro_core.types import NO_CONTACT, Contact, Page, Record, Report, SessionId, SessionInfo, SessionQuery

from . import messages, records, sessions, verifying
from .bell import Bell
from .database import Database
from .db import SqliteDb
from .evicting import evict
from .lease import until_free
from .listing import page_of
from .sessions import Row, Taken


class SqliteStore:
    """Implements `SessionStore`."""

    def __init__(self, database: Database) -> None:
        """Use a file; the pipes of owners are in a folder beside it."""
        self._database = database
        self._owners = database.path.with_name(f"{database.path.name}-owners")
        self._bells = WeakValueDictionary[SessionId, Bell]()

    @asynccontextmanager
    async def create(self, info: SessionInfo, contact: Contact = NO_CONTACT) -> AsyncIterator[SessionDb]:
        """See `SessionStore.create`."""

        def job(connection: sqlite3.Connection) -> Taken:
            sessions.create(connection, info)
            return sessions.take(connection, self._owners, info.id, contact)

        async with self._held(job) as db:
            yield db

    @asynccontextmanager
    async def open(self, session: SessionId, contact: Contact = NO_CONTACT) -> AsyncIterator[SessionDb]:
        """See `SessionStore.open`."""
        async with self._held(lambda it: sessions.take(it, self._owners, session, contact)) as db:
            yield db

    async def get(self, session: SessionId) -> SessionInfo:
        """See `SessionStore.get`."""
        return (await self._row(session)).metadata()

    async def holder(self, session: SessionId) -> Mapping[str, Any]:
        """See `SessionStore.holder`."""
        row = await self._row(session)
        with self._explained():
            return sessions.holder(row, self._owners)

    async def freed(self, session: SessionId) -> None:
        """See `SessionStore.freed`."""
        row = await self._row(session)
        if row.lease:
            with self._explained():
                await until_free(self._owners / row.lease)

    async def list(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """See `SessionStore.list`."""
        return await self._database.read(lambda it: page_of(it, query, cursor, limit))

    async def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """See `SessionStore.read`; a page at a time, each of one moment."""
        key = (await self._row(session)).key

        def job(connection: sqlite3.Connection) -> list[Record]:
            row = sessions.find(connection, session)
            if row.key != key:
                raise SessionNotFound(f"The session {session} was deleted meanwhile.", hint="List the sessions.")
            return records.page(connection, key, after, row.head)

        while page := await self._database.read(job):
            for record in page:
                yield record
            after = max(after, page[-1].seq)

    async def put(self, session: SessionId, message_id: str, body: bytes) -> bool:
        """See `SessionStore.put`."""
        check_message(message_id, body)
        new = await self._database.write(lambda it: messages.put(it, session, message_id, body))
        self.wake(session)
        return new

    def wake(self, session: SessionId) -> None:
        """See `SessionStore.wake`."""
        if bell := self._bells.get(session):
            bell.ring()

    async def delete(self, session: SessionId, *, trashed: str = "") -> None:
        """See `SessionStore.delete`."""
        await self._database.write(lambda it: sessions.delete(it, self._owners, session, trashed))

    async def verify(self, session: SessionId, *, repair: bool = False) -> Report:
        """See `SessionStore.verify`."""
        if repair:
            return await self._database.write(lambda it: verifying.repair(it, self._owners, session))
        return await self._database.read(lambda it: verifying.check(it, session))

    async def evict(self, session: SessionId, timeout_s: float) -> Mapping[str, Any]:
        """See `SessionStore.evict`."""
        row = await self._row(session)
        with self._explained():
            return await evict(row, self._owners, timeout_s)

    async def _row(self, session: SessionId) -> Row:
        return await self._database.read(lambda it: sessions.find(it, session))

    @asynccontextmanager
    async def _held(self, take: Callable[[sqlite3.Connection], Taken]) -> AsyncIterator[SqliteDb]:
        db = SqliteDb(self._database, await self._database.write(take))
        self._bells[db.id] = db.bell
        try:
            yield db
        finally:
            db.leave()

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except KiroError:
            raise
        except OSError as error:
            raise Unavailable(f"Nothing tells who holds a session: {error}.", hint="Check the disk.") from error
