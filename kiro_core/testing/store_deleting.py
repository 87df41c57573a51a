"""What a store promises of deletion: all of a session goes, and never under its owner."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import anyio
import pytest

from kiro_core.errors import Held, SessionNotFound
from kiro_core.ports import SessionStore
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import records, session, stored
from kiro_core.types import SessionId, SessionQuery


class DeletingPromises:
    """Whole or gone, for owners, readers and contenders."""

    @promise("store.delete.gone", core=True)
    async def test_a_deleted_session_is_gone_for_everybody(self, store: SessionStore) -> None:
        """A deleted session cannot be listed, read or opened."""
        kept, info = await stored(store), session()
        async with store.create(info) as db:
            await db.append([b"{}"])
        await store.delete(info.id)
        assert list((await store.list(SessionQuery())).items) == [kept]
        with pytest.raises(SessionNotFound):
            await store.get(info.id)
        with pytest.raises(SessionNotFound):
            await records(store, info.id)
        with pytest.raises(SessionNotFound):
            async with store.open(info.id):
                pass

    @promise("store.delete.reused")
    async def test_the_id_of_a_deleted_session_is_free_and_its_records_do_not_come_back(
        self, store: SessionStore
    ) -> None:
        """The id of a deleted session is free, and nothing of the old one comes back under it."""
        info = session(title="first", tags=("old",))
        async with store.create(info) as db:
            await db.append([b'{"n":1}', b'{"n":2}'])
        await store.delete(info.id)
        again = replace(info, title="second", tags=())
        async with store.create(again) as db:
            assert db.head == 0
            await db.append([b'{"n":3}'])
        assert await store.get(info.id) == again
        assert [record.body for record in await records(store, info.id)] == [b'{"n":3}']

    @promise("store.delete.owned", core=True)
    async def test_a_session_with_an_owner_is_not_deleted(self, store: SessionStore) -> None:
        """`delete` of a session that is held raises `Held` and changes nothing."""
        info = session()
        async with store.create(info) as db:
            await db.append([b"{}"])
            with pytest.raises(Held):
                await store.delete(info.id)
            await db.append([b"{}"])
        assert len(await records(store, info.id)) == 2

    @promise("store.delete.trashed")
    async def test_what_is_not_in_the_trash_since_then_is_not_deleted_from_there(self, store: SessionStore) -> None:
        """With `trashed`, what was restored meanwhile is not deleted."""
        since = "2025-02-01T00:00:00Z"
        kept, again, gone = [await stored(store, trashed=time) for time in ("", "2025-02-02T00:00:00Z", since)]
        for info in (kept, again, session(trashed=since)):
            with pytest.raises(SessionNotFound):
                await store.delete(info.id, trashed=since)
        async with store.open(gone.id):
            with pytest.raises(Held):
                await store.delete(gone.id, trashed=since)
        await store.delete(gone.id, trashed=since)
        for info in (kept, again):
            assert await store.get(info.id) == info
        with pytest.raises(SessionNotFound):
            await store.get(gone.id)

    @promise("store.delete.unknown")
    async def test_an_unknown_session_cannot_be_deleted(self, store: SessionStore) -> None:
        """`delete` of an id that nobody has, or twice, raises `SessionNotFound`."""
        info = await stored(store)
        with pytest.raises(SessionNotFound):
            await store.delete(session().id)
        await store.delete(info.id)
        with pytest.raises(SessionNotFound):
            await store.delete(info.id)

    @promise("store.delete.contenders")
    async def test_a_contender_has_the_whole_session_or_none(self, store: SessionStore) -> None:
        """Who opens a session while it is deleted has it whole, or finds none."""
        infos = [await stored(store) for _ in range(10)]
        for info in infos:
            async with store.open(info.id) as db:
                await db.append([b"{}"])

        async def contend(session: SessionId) -> None:
            with suppress(Held, SessionNotFound):
                async with store.open(session) as db:
                    assert db.head == 1
                    assert len(await db.tail(9)) == 1

        async def delete(session: SessionId) -> None:
            with suppress(Held, SessionNotFound):
                await store.delete(session)

        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                for info in infos:
                    for action in (contend, delete, contend, delete):
                        tasks.start_soon(action, info.id)
        for info in infos:
            with suppress(SessionNotFound):
                await store.delete(info.id)
            with pytest.raises(SessionNotFound):
                await store.get(info.id)
