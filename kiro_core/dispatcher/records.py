"""What can be done with a recorded session as a whole, live in this desk or at rest, on any store."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any

from kiro_core.dispatcher.checking import checked
from kiro_core.dispatcher.elsewhere import desk_of
from kiro_core.dispatcher.labels import labels, require_free
from kiro_core.errors import Disconnected, Held, SessionBusy, SessionNotFound, Unavailable
from kiro_core.journal import Journal, utc_now
from kiro_core.ports import SessionStore
from kiro_core.session import Session, require_kept
from kiro_core.types import Report, SessionId, SessionInfo

_LOG = logging.getLogger(__name__)
_EVICT_S = 15.0
"""Longer than a desk needs to end its sessions by itself (`limits.shutdown_s`)."""


class Records:
    """The sessions of a store; `live` are those that this desk holds, by their ids."""

    def __init__(
        self,
        store: SessionStore,
        live: Mapping[SessionId, Session],
        control_s: Callable[[], float],
        recorded: Callable[[SessionId, Any], Awaitable[Any]],
    ) -> None:
        """Work on a store beside the desk's own sessions; another desk has `control_s()` seconds to answer.

        `recorded` gives what is said of a session as its middlewares let it be written.
        """
        self._store = store
        self._live = live
        self._control_s = control_s
        self._recorded = recorded

    async def delete(self, session: SessionId) -> None:
        """See `Desk.delete`."""
        live = self._live.get(session)
        if live is not None:
            live.guests.dismiss("The session was deleted.")
            await live.close()
        try:
            await self._store.delete(session)
        except Held as error:
            async with desk_of(error, limit_s=self._control_s()) as other:
                await other.delete(session)

    async def verify(self, session: SessionId, *, repair: bool) -> Report:
        """See `Desk.verify`."""
        return await checked(self._store, session, repair=repair)

    async def take_over(self, session: SessionId, *, force: bool) -> Mapping[str, Any]:
        """See `Desk.take_over`."""
        try:
            async with self._store.open(session):
                return {}
        except Held as error:
            held = error
        owner = await self._let_go(held, session, force=force)
        if not owner:
            if not force:
                raise held
            owner = await self._store.evict(session, _EVICT_S)
        async with self._store.open(session) as db:
            if force and owner and not owner.get("let_go"):
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
        try:
            async with self._store.open(session) as db:
                require_kept(db.info)
                await require_free(self._store, changes.get("name", ""), db.info)
                said = {key: await self._recorded(session, changes[key]) for key in changes.keys() & {"title"}}
                await db.put_info(replace(db.info, **changes | said))
                return db.info
        except Held as error:
            async with desk_of(error, limit_s=self._control_s()) as other:
                return await other.relabel(session, title=title, name=name, tags=tags)

    async def export(self, session: SessionId) -> AsyncGenerator[bytes, None]:
        """See `Desk.export_session`."""
        from kiro_core.archive import write_archive

        info = await self._store.get(session)
        async with aclosing(write_archive(info, partial(self._store.read, session), utc_now())) as chunks:
            async for chunk in chunks:
                yield chunk

    async def import_(self, chunks: AsyncIterator[bytes], *, new_id: bool) -> SessionInfo:
        """See `Desk.import_session`."""
        from kiro_core.dispatcher.importing import import_archive

        return await import_archive(self._store, chunks, new_id=new_id)

    async def _let_go(self, held: Held, session: SessionId, *, force: bool) -> Mapping[str, Any]:
        """Ask the owner to end that session alone; who it was, or nothing when it does not answer.

        Raises:
            Held: it has reasons to keep it.

        """
        owner = {name: value for name, value in held.details.get("owner", {}).items() if name != "here"}
        try:
            async with desk_of(held, limit_s=self._control_s()) as other:
                await other.release(session, force=force)
        except SessionNotFound:
            _LOG.debug("session %s had ended when its owner was asked for it", session)
        except SessionBusy as error:
            raise Held(f"{held.sentence} {error}", hint=held.hint, **held.details, reason=str(error)) from error
        except (Held, Disconnected) as error:
            _LOG.info("the owner of the session %s could not be asked for it: %s", session, error)
            return {}
        return {**owner, "let_go": True}

    async def _relabel_live(self, live: Session, changes: dict[str, Any]) -> SessionInfo:
        if not live.ready:
            raise SessionBusy("The session is being opened.", hint="Wait until it is open.")
        await require_free(self._store, changes.get("name", ""), live.db.info)
        await live.note(**changes)
        info = live.db.info
        if any(getattr(info, field) != getattr(live.metadata.info, field) for field in changes):
            raise Unavailable(
                f"The change could not be written to the session {info.id} yet.",
                hint="It is written with the session's next change; see whether the disk is full.",
            )
        return info
