"""What can be done with a recorded session as a whole, live in this desk or at rest, on any store."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from kiro_core.archive import write_archive
from kiro_core.dispatcher.checking import checked
from kiro_core.dispatcher.importing import import_archive
from kiro_core.dispatcher.labels import labels, require_free
from kiro_core.errors import SessionBusy, Unavailable
from kiro_core.journal import Journal, utc_now
from kiro_core.ports import SessionStore
from kiro_core.session import Session
from kiro_core.types import Report, SessionId, SessionInfo

_EVICT_S = 15.0
"""Longer than a desk needs to end its sessions by itself (`limits.shutdown_s`)."""


class Records:
    """The sessions of a store; `live` are those that this desk holds, by their ids."""

    def __init__(self, store: SessionStore, live: Mapping[SessionId, Session]) -> None:
        """Work on a store beside the desk's own sessions."""
        self._store = store
        self._live = live

    async def delete(self, session: SessionId) -> None:
        """See `Desk.delete`."""
        live = self._live.get(session)
        if live is not None:
            await live.close()
        await self._store.delete(session)

    async def verify(self, session: SessionId, *, repair: bool) -> Report:
        """See `Desk.verify`."""
        return await checked(self._store, session, repair=repair)

    async def take_over(self, session: SessionId, *, force: bool) -> Mapping[str, Any]:
        """See `Desk.take_over`."""
        owner = await self._store.evict(session, _EVICT_S) if force else {}
        async with self._store.open(session) as db:
            if owner:
                await Journal(db).event("taken_over", {"owner": owner})
                await db.commit()
        return owner

    async def relabel(
        self, session: SessionId, *, title: str | None, name: str | None, tags: Iterable[str] | None
    ) -> SessionInfo:
        """See `Desk.relabel`."""
        changes = labels(title, name, tags)
        live = self._live.get(session)
        if live is not None:
            return await self._relabel_live(live, changes)
        async with self._store.open(session) as db:
            await require_free(self._store, changes.get("name", ""), db.info)
            await db.put_info(replace(db.info, **changes))
            return db.info

    async def export(self, session: SessionId) -> AsyncGenerator[bytes, None]:
        """See `Desk.export_session`."""
        info = await self._store.get(session)
        async with aclosing(write_archive(info, partial(self._store.read, session), utc_now())) as chunks:
            async for chunk in chunks:
                yield chunk

    async def import_(self, chunks: AsyncIterator[bytes], *, new_id: bool) -> SessionInfo:
        """See `Desk.import_session`."""
        return await import_archive(self._store, chunks, new_id=new_id)

    async def _relabel_live(self, live: Session, changes: dict[str, Any]) -> SessionInfo:
        if not live.ready:
            raise SessionBusy("The session is being opened.", hint="Wait until it is open.")
        await require_free(self._store, changes.get("name", ""), live.db.info)
        await live.note(**changes)
        info = live.db.info
        if any(getattr(info, field) != value for field, value in changes.items()):
            raise Unavailable(
                f"The change could not be written to the session {info.id} yet.",
                hint="It is written with the session's next change; see whether the disk is full.",
            )
        return info
