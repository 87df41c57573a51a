"""What a store promises of ownership: never two owners, never a stuck one, and each epoch a new number."""

from __future__ import annotations

import os

import anyio
import pytest

from kiro_core.errors import Fenced, Held, SessionNotFound
from kiro_core.ports import SessionDb, SessionStore
from kiro_core.testing.store_samples import records, session, stored
from kiro_core.types import SessionId


class LeasePromises:
    """One owner at a time, fenced by a growing epoch."""

    async def test_a_second_owner_is_refused_and_told_who_the_first_is(self, store: SessionStore) -> None:
        info = session()
        async with store.create(info):
            with pytest.raises(Held, match=str(os.getpid())) as refused:
                await self._enter(store, info.id)
        assert refused.value.hint

    async def test_a_session_cannot_be_created_twice(self, store: SessionStore) -> None:
        info = session()
        async with store.create(info):
            with pytest.raises(Held):
                async with store.create(info):
                    pass
        with pytest.raises(Held):
            async with store.create(info):
                pass

    async def test_leaving_frees_the_session(self, store: SessionStore) -> None:
        info = await stored(store)
        async with store.open(info.id) as first:
            pass
        async with store.open(info.id) as second:
            assert second.epoch > first.epoch

    async def test_who_waits_for_a_session_is_told_when_it_is_free(self, store: SessionStore) -> None:
        info = session()
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks, store.create(info):
                with anyio.move_on_after(0.5) as waited:
                    await store.freed(info.id)
                assert waited.cancelled_caught
                tasks.start_soon(store.freed, info.id)
            await store.freed(info.id)

    async def test_a_session_that_does_not_exist_is_not_waited_for(self, store: SessionStore) -> None:
        with pytest.raises(SessionNotFound):
            await store.freed(session().id)

    async def test_an_error_in_the_block_frees_the_session(self, store: SessionStore) -> None:
        info = session()
        with pytest.raises(ZeroDivisionError):
            async with store.create(info):
                raise ZeroDivisionError
        await self._enter(store, info.id)

    async def test_cancellation_frees_the_session(self, store: SessionStore) -> None:
        info = session()
        entered = anyio.Event()

        async def hold() -> None:
            async with store.create(info):
                entered.set()
                await anyio.sleep_forever()

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(hold)
                await entered.wait()
                tasks.cancel_scope.cancel()
            await self._enter(store, info.id)

    async def test_of_many_contenders_exactly_one_holds(self, store: SessionStore) -> None:
        info = await stored(store)
        outcomes: list[bool] = []
        all_tried = anyio.Event()

        def tried(*, won: bool) -> None:
            outcomes.append(won)
            if len(outcomes) == 8:
                all_tried.set()

        async def contend() -> None:
            try:
                async with store.open(info.id):
                    tried(won=True)
                    await all_tried.wait()
            except Held:
                tried(won=False)

        with anyio.fail_after(10):
            async with anyio.create_task_group() as tasks:
                for _ in range(8):
                    tasks.start_soon(contend)
        assert sorted(outcomes) == [False] * 7 + [True]

    async def test_the_epoch_grows_with_every_owner_even_if_nothing_is_written(self, store: SessionStore) -> None:
        info = session()
        async with store.create(info) as db:
            epochs = [db.epoch]
        for _ in range(3):
            async with store.open(info.id) as db:
                epochs.append(db.epoch)
        assert epochs[0] >= 1
        assert epochs == sorted(set(epochs))

    async def test_every_record_carries_the_epoch_of_its_writer(self, store: SessionStore) -> None:
        info = session()
        async with store.create(info) as first:
            await first.append([b"{}", b"{}"])
        async with store.open(info.id) as second:
            await second.append([b"{}"])
        assert [record.epoch for record in await records(store, info.id)] == [first.epoch, first.epoch, second.epoch]

    async def test_an_owner_that_left_can_do_nothing(self, store: SessionStore) -> None:
        info = session()
        async with store.create(info) as db:
            await db.append([b"{}"])
        await self._is_fenced(db)
        async with store.open(info.id):
            await self._is_fenced(db)
        assert len(await records(store, info.id)) == 1

    async def test_an_unknown_session_cannot_be_opened(self, store: SessionStore) -> None:
        with pytest.raises(SessionNotFound):
            await self._enter(store, session().id)

    @staticmethod
    async def _enter(store: SessionStore, session: SessionId) -> None:
        with anyio.fail_after(10):
            async with store.open(session):
                pass

    @staticmethod
    async def _is_fenced(db: SessionDb) -> None:
        with pytest.raises(Fenced):
            await db.append([b"{}"])
        with pytest.raises(Fenced):
            await db.commit()
        with pytest.raises(Fenced):
            await db.tail(1)
        with pytest.raises(Fenced):
            await db.put_info(db.info)
