"""What a store promises of ownership: never two owners, never a stuck one, and each epoch a new number."""

from __future__ import annotations

import os

import anyio
import pytest

from kiro_core.errors import Held, SessionNotFound
from kiro_core.ports import SessionStore
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import session, stored
from kiro_core.types import SessionId


class LeasePromises:
    """One owner at a time, fenced by a growing epoch."""

    @promise("store.lease.one-owner", core=True)
    async def test_a_second_owner_is_refused_and_told_who_the_first_is(self, store: SessionStore) -> None:
        """Whoever opens a session that is held gets `Held`, with a hint; its sentence names the owner's process."""
        info = session()
        async with store.create(info):
            with pytest.raises(Held, match=str(os.getpid())) as refused:
                await self._enter(store, info.id)
        assert refused.value.hint

    @promise("store.lease.unique-id", core=True)
    async def test_a_session_cannot_be_created_twice(self, store: SessionStore) -> None:
        """`create` of an id that exists is refused with `Held`, whether somebody holds that session or not."""
        info = session()
        async with store.create(info):
            with pytest.raises(Held):
                async with store.create(info):
                    pass
        with pytest.raises(Held):
            async with store.create(info):
                pass

    @promise("store.lease.leaving", core=True)
    async def test_leaving_frees_the_session(self, store: SessionStore) -> None:
        """Leaving the block gives the session back at once, and the next owner has a higher epoch."""
        info = await stored(store)
        async with store.open(info.id) as first:
            pass
        async with store.open(info.id) as second:
            assert second.epoch > first.epoch

    @promise("store.lease.freed")
    async def test_who_waits_for_a_session_is_told_when_it_is_free(self, store: SessionStore) -> None:
        """`freed` waits while somebody holds the session, and returns when nobody does."""
        info = session()
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks, store.create(info):
                with anyio.move_on_after(0.5) as waited:
                    await store.freed(info.id)
                assert waited.cancelled_caught
                tasks.start_soon(store.freed, info.id)
            await store.freed(info.id)

    @promise("store.lease.freed-unknown")
    async def test_a_session_that_does_not_exist_is_not_waited_for(self, store: SessionStore) -> None:
        """`freed` of an id that nobody has raises `SessionNotFound` and does not wait."""
        with pytest.raises(SessionNotFound):
            await store.freed(session().id)

    @promise("store.lease.error")
    async def test_an_error_in_the_block_frees_the_session(self, store: SessionStore) -> None:
        """An error leaves the block as it is, and the session is free."""
        info = session()
        with pytest.raises(ZeroDivisionError):
            async with store.create(info):
                raise ZeroDivisionError
        await self._enter(store, info.id)

    @promise("store.lease.cancellation", core=True)
    async def test_cancellation_frees_the_session(self, store: SessionStore) -> None:
        """A block that is cancelled gives the session back: clean-up is shielded."""
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

    @promise("store.lease.contenders", core=True)
    async def test_of_many_contenders_exactly_one_holds(self, store: SessionStore) -> None:
        """Of many tasks that open one session at a time one gets it, and all others `Held`."""
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

    @promise("store.lease.unknown")
    async def test_an_unknown_session_cannot_be_opened(self, store: SessionStore) -> None:
        """`open` of an id that nobody has raises `SessionNotFound`."""
        with pytest.raises(SessionNotFound):
            await self._enter(store, session().id)

    @staticmethod
    async def _enter(store: SessionStore, session: SessionId) -> None:
        with anyio.fail_after(10):
            async with store.open(session):
                pass
