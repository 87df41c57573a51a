"""The verbs of a store, for who holds a session and for who does not; what takes long is done in a worker thread."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from anyio import to_thread
from kiro_core.errors import RecordInvalid, SessionNotFound
from kiro_core.ports import SessionDb
from kiro_core.ports.storing import check_message, page_of
from kiro_core.types import NO_CONTACT, Contact, Page, Record, Report, SessionId, SessionInfo, SessionQuery

from .checking import check
from .db import FolderDb, records_of
from .files import explained, make, place_of, read_batches, read_info, read_owner, remove, sessions_in
from .inbox import put_letter
from .lock import held, holding, is_held, wait_until_free


class FolderStore:
    """Implements `SessionStore`."""

    def __init__(self, root: Path) -> None:
        """`root` is made with the first session."""
        self._root = root
        self._open: dict[SessionId, FolderDb] = {}

    @asynccontextmanager
    async def create(self, info: SessionInfo, contact: Contact = NO_CONTACT) -> AsyncIterator[SessionDb]:
        """See `SessionStore.create`."""
        with explained(info.id):
            await to_thread.run_sync(make, self._place(info.id), info)
        async with self.open(info.id, contact) as db:
            yield db

    @asynccontextmanager
    async def open(self, session: SessionId, contact: Contact = NO_CONTACT) -> AsyncIterator[SessionDb]:
        """See `SessionStore.open`."""
        with ExitStack() as lease:
            # Only entering is explained: an error of the block comes out as it is.
            with explained(session):
                lease.enter_context(holding(self._place(session), session))
                db = await to_thread.run_sync(FolderDb, self._place(session), session, contact)
            self._open[session] = db
            try:
                yield db
            finally:
                del self._open[session]
                db.leave()

    async def get(self, session: SessionId) -> SessionInfo:
        """See `SessionStore.get`."""
        with explained(session):
            return await to_thread.run_sync(read_info, self._place(session))

    async def holder(self, session: SessionId) -> Mapping[str, Any]:
        """See `SessionStore.holder`."""
        with explained(session):
            place = self._place(session)
            owner: Mapping[str, Any] = msgspec.to_builtins(read_owner(place)) if is_held(place) else {}
            return owner

    async def freed(self, session: SessionId) -> None:
        """See `SessionStore.freed`."""
        with explained(session):
            await wait_until_free(self._place(session))

    async def list(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """See `SessionStore.list`."""
        infos, damaged = await to_thread.run_sync(self._infos)
        return replace(page_of(infos, query, cursor, limit), damaged=damaged)

    async def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """See `SessionStore.read`; the whole log is in memory meanwhile."""
        with explained(session):
            batches = await to_thread.run_sync(read_batches, self._place(session))
        for record in records_of(batches)[after:]:
            yield record

    async def put(self, session: SessionId, message_id: str, body: bytes) -> bool:
        """See `SessionStore.put`."""
        check_message(message_id, body)
        with explained(session):
            put = partial(put_letter, self._place(session), message_id, body)
            try:
                # Who puts another one is waited for, and may have been stopped: who gives up may put it again.
                return await to_thread.run_sync(put, abandon_on_cancel=True)
            finally:
                self.wake(session)

    def wake(self, session: SessionId) -> None:
        """See `SessionStore.wake`."""
        if db := self._open.get(session):
            db.ring()

    async def delete(self, session: SessionId, *, trashed: str = "") -> None:
        """See `SessionStore.delete`."""
        place = self._place(session)
        with explained(session), holding(place, session):
            if trashed and read_info(place).trashed != trashed:
                raise SessionNotFound(f"The session {session} is not in the trash since {trashed}.")
            await to_thread.run_sync(remove, place)

    async def verify(self, session: SessionId, *, repair: bool = False) -> Report:
        """See `SessionStore.verify`; only what was not written to its end can be mended here."""
        place = self._place(session)
        with explained(session), ExitStack() as lease:
            if repair:
                lease.enter_context(holding(place, session))
            return await to_thread.run_sync(partial(check, place, session, repair=repair))

    async def evict(self, session: SessionId, timeout_s: float) -> Mapping[str, Any]:
        """See `SessionStore.evict`: nobody is ended, for a pid alone does not prove who that process is."""
        if not await self.holder(session):
            return {}
        raise held(self._place(session), session)

    def _place(self, session: SessionId) -> Path:
        return place_of(self._root, session)

    def _infos(self) -> tuple[Sequence[SessionInfo], Sequence[SessionId]]:
        """The metadata of all sessions, and the ids of those whose metadata cannot be read."""
        infos, damaged = list[SessionInfo](), list[SessionId]()
        for session in sessions_in(self._root):
            try:
                infos.append(read_info(self._place(session)))
            except FileNotFoundError:
                continue  # it was deleted a moment ago
            except (RecordInvalid, OSError):
                damaged.append(session)
        return infos, damaged
