"""The store `files` on a disk that stalls at each flush: with it is seen whether what is shown waits for a flush."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio import to_thread

from kiro_core import Provider, hookimpl
from kiro_core.catalog import Choice
from kiro_core.ports import SessionDb, SessionStore
from kiro_core.registry import Registry
from kiro_core.types import NO_CONTACT, Contact, SessionId, SessionInfo

_STALL_S = 0.05


class StallingDb:
    """A held session of the store `files`, whose flushes take 50 ms longer."""

    def __init__(self, db: Any, disk: anyio.CapacityLimiter) -> None:
        """Share one disk with all others."""
        self._db = db
        self._disk = disk

    def __getattr__(self, name: str) -> Any:
        """Everything but `commit` is as it was."""
        return getattr(self._db, name)

    async def commit(self) -> None:
        """See `SessionDb.commit`; one flush at a time, as by one committer."""
        await to_thread.run_sync(time.sleep, _STALL_S, limiter=self._disk)
        await self._db.commit()


class StallingStore:
    """The store `files`, whose held sessions stall."""

    def __init__(self, store: Any) -> None:
        """Stand in front of it."""
        self._store = store
        self._disk = anyio.CapacityLimiter(1)

    def __getattr__(self, name: str) -> Any:
        """Everything but holding a session is as it was."""
        return getattr(self._store, name)

    @asynccontextmanager
    async def create(self, info: SessionInfo, contact: Contact = NO_CONTACT) -> AsyncIterator[SessionDb]:
        """See `SessionStore.create`."""
        async with self._store.create(info, contact) as db:
            yield StallingDb(db, self._disk)

    @asynccontextmanager
    async def open(self, session: SessionId, contact: Contact = NO_CONTACT) -> AsyncIterator[SessionDb]:
        """See `SessionStore.open`."""
        async with self._store.open(session, contact) as db:
            yield StallingDb(db, self._disk)


@asynccontextmanager
async def _open(_: None) -> AsyncIterator[SessionStore]:
    async with Registry(only=["files"]).stores.open(Choice("files")) as store:
        yield StallingStore(store)


@hookimpl
def kiro_stores() -> Iterator[Provider[SessionStore, None]]:
    """Offer the store `stalling`."""
    yield Provider("stalling", _open, summary="files on a slow disk")
