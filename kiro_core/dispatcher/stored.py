"""What a face can ask about sessions on record: those that are open here are told as they are at the moment."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Container, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any, Final

from anyio.abc import TaskGroup

from kiro_core.dispatcher.backends import Backends
from kiro_core.dispatcher.recording import Recording
from kiro_core.dispatcher.records import Records
from kiro_core.dispatcher.retention import Retention
from kiro_core.dispatcher.watching import Watching
from kiro_core.journal import told
from kiro_core.session import Session
from kiro_core.types import Page, Pruned, PruneRule, Record, Report, SessionId, SessionInfo, SessionQuery, Told


class Stored:
    """Those verbs of `Desk`; `live` are the sessions that this desk has open or is opening.

    That registry is a plain dict, touched only between awaits. An id is in it from its reservation on, so that two
    openings of one id cannot race.
    """

    def __init__(self, backends: Backends, tasks: TaskGroup, require_at_rest: Callable[[SessionId], None]) -> None:
        """Nothing is open; other desks are asked in `tasks`. `require_at_rest` raises for a run that goes on."""
        store = backends.store
        self.live: dict[SessionId, Session] = {}
        self.watching: Final = Watching(store, self.live, tasks)
        self.retention: Final = Retention(store, self.live, lambda: backends.settings.retention)
        self._store = store
        self._require_at_rest = require_at_rest
        self.recording: Final = Recording(backends, self.live)
        self._records = Records(store, self.live, lambda: backends.settings.limits.control_s, self.recording.recorded)

    async def sessions(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """See `Desk.sessions`."""
        page = await self._store.list(query, cursor, limit)
        return replace(page, items=[self._newest(info) for info in page.items])

    async def info(self, session: SessionId) -> SessionInfo:
        """See `Desk.info`."""
        return self._newest(await self._store.get(session))

    async def holder(self, session: SessionId) -> Mapping[str, Any]:
        """See `Desk.holder`."""
        return await self._store.holder(session)

    async def freed(self, session: SessionId) -> None:
        """See `Desk.freed`."""
        await self._store.freed(session)

    def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """See `Desk.read`."""
        return self._store.read(session, after)

    async def watch(self, session: SessionId, after: int = 0) -> AsyncGenerator[Record, None]:
        """See `Desk.watch`."""
        async with aclosing(self.watching.anywhere(session, after)) as batches:
            async for batch in batches:
                for record in batch:
                    yield record

    def told(self, session: SessionId, after: int = 0, *, follow: bool = False) -> AsyncGenerator[Told, None]:
        """See `Desk.told`."""
        records = self.watch(session, after) if follow else self.read(session, after)
        return told(records, partial(self.read, session) if after else None)

    async def delete(self, session: SessionId) -> None:
        """See `Desk.delete`."""
        self._require_at_rest(session)
        await self._records.delete(session)

    async def prune(
        self, rule: PruneRule, *, dry_run: bool = False, only: Container[SessionId] | None = None
    ) -> Sequence[Pruned]:
        """See `Desk.prune`."""
        return [each async for each in self.retention.prune(rule, dry_run=dry_run, only=only)]

    async def restore(self, session: SessionId) -> SessionInfo:
        """See `Desk.restore`."""
        return await self.retention.restore(session)

    async def verify(self, session: SessionId, *, repair: bool = False) -> Report:
        """See `Desk.verify`."""
        return await self._records.verify(session, repair=repair)

    async def take_over(self, session: SessionId, *, force: bool = False) -> Mapping[str, Any]:
        """See `Desk.take_over`."""
        return await self._records.take_over(session, force=force)

    async def relabel(
        self,
        session: SessionId,
        *,
        title: str | None = None,
        name: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> SessionInfo:
        """See `Desk.relabel`."""
        self._require_at_rest(session)
        return await self._records.relabel(session, title=title, name=name, tags=tags)

    def export_session(self, session: SessionId) -> AsyncGenerator[bytes, None]:
        """See `Desk.export_session`."""
        return self._records.export(session)

    async def import_session(self, chunks: AsyncIterator[bytes], *, new_id: bool = False) -> SessionInfo:
        """See `Desk.import_session`."""
        return await self._records.import_(chunks, new_id=new_id)

    def _newest(self, info: SessionInfo) -> SessionInfo:
        live = self.live.get(info.id)
        return live.metadata.newest(info) if live is not None and live.ready else info
