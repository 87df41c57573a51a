"""Follows what is recorded in a session, whoever holds it: what is there first, and then what comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from pathlib import Path

import anyio
from anyio.abc import TaskGroup

from kiro_core.control import reach, socket_of
from kiro_core.errors import Disconnected, KiroError, SessionNotFound
from kiro_core.ports import SessionStore
from kiro_core.session import Session
from kiro_core.types import Record, SessionId

_BATCH = 64
_ENDING_S = 4.0

Batches = AsyncGenerator[Sequence[Record], None]


class Watching:
    """The sessions of a store; `live` are those that this desk holds, by their ids."""

    def __init__(self, store: SessionStore, live: Mapping[SessionId, Session], tasks: TaskGroup) -> None:
        """Ask other desks in `tasks`."""
        self._store = store
        self._live = live
        self._tasks = tasks

    async def here(self, session: SessionId, after: int = 0) -> Batches:
        """The records behind a number, in batches, until the session has ended in this desk; at once if it is not here.

        Raises:
            SessionNotFound, RecordInvalid, Unavailable: as the store says.

        """
        followed = False
        while True:
            live = self._live.get(session)
            last = live is None or live.ended.is_set()
            try:
                async with aclosing(self._recorded(session, after)) as batches:
                    async for batch in batches:
                        after = batch[-1].seq
                        yield batch
            except SessionNotFound:
                if not followed:
                    raise
                return  # it was deleted while it was followed, and so has ended
            if live is None or last:
                return
            followed = True
            await _news(live, after)

    async def anywhere(self, session: SessionId, after: int = 0) -> Batches:
        """The same wherever the session is; it ends with it, or at once when nobody holds it.

        Raises:
            Disconnected: somebody holds it who cannot be asked; what is recorded so far came before.

        """
        asked = 0
        while True:
            async with aclosing(self.here(session, after)) as batches:
                async for batch in batches:
                    after = batch[-1].seq
                    yield batch
            try:
                owner = await self._store.holder(session)
            except SessionNotFound:
                return
            if not owner:
                return
            if session in self._live:
                continue
            path = socket_of(owner)
            if path is None or owner["epoch"] == asked:
                raise Disconnected(
                    f"The process that holds the session {session} cannot be asked (pid {owner.get('pid')}).",
                    hint="This is what is recorded so far; watch it again for more.",
                )
            asked = owner["epoch"]
            told = _Told()
            async with aclosing(self._relayed(path, session, after, told)) as batches:
                async for batch in batches:
                    after = batch[-1].seq
                    yield batch
            if told.error is None:
                return
            if not isinstance(told.error, Disconnected):
                raise told.error
            # A process that ends closes its socket before it gives back its locks.
            with anyio.move_on_after(_ENDING_S):
                await self._store.freed(session)

    async def _recorded(self, session: SessionId, after: int) -> Batches:
        batch: list[Record] = []
        async with aclosing(_closing(self._store, session, after)) as records:
            async for record in records:
                batch.append(record)
                if len(batch) == _BATCH:
                    yield batch
                    batch = []
        if batch:
            yield batch

    async def _relayed(self, path: Path, session: SessionId, after: int, told: _Told) -> Batches:
        """What another desk tells; a task of ours has the connection, since who reads may do so in scopes."""
        post, batches = anyio.create_memory_object_stream[Sequence[Record]](1)
        scope = anyio.CancelScope()

        async def relay() -> None:
            with scope:
                async with post:
                    try:
                        async with reach(path) as other, aclosing(other.follow(session, after)) as theirs:
                            async for batch in theirs:
                                await post.send(batch)
                    except KiroError as error:
                        told.error = error

        self._tasks.start_soon(relay)
        try:
            async with batches:
                async for batch in batches:
                    yield batch
        finally:
            scope.cancel()


class _Told:
    """How another desk ended what it told."""

    error: KiroError | None = None


async def _closing(store: SessionStore, session: SessionId, after: int) -> AsyncGenerator[Record, None]:
    records = store.read(session, after)
    try:
        async for record in records:
            yield record
    finally:
        if isinstance(records, AsyncGenerator):
            await records.aclose()


async def _news(live: Session, after: int) -> None:
    """Wait until there is a record behind `after`, or the session has ended."""
    async with anyio.create_task_group() as either:
        either.start_soon(_until_ended, live, either.cancel_scope)
        await live.opened.wait()
        if live.ready:
            await live.journal.grown(after)
        else:
            await live.ended.wait()
        either.cancel_scope.cancel()


async def _until_ended(live: Session, waiting: anyio.CancelScope) -> None:
    await live.ended.wait()
    waiting.cancel()
