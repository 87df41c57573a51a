"""What a store promises to who serves an inbox: a message is settled once, with a record, and none is missed."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
import pytest

from kiro_core.errors import Fenced
from kiro_core.ports import SessionDb, SessionStore
from kiro_core.testing.contract import Opened
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import names, records, session, with_messages
from kiro_core.types import INBOX_MESSAGES, INBOX_REMEMBERED


class SettlingPromises:
    """Consuming and waiting."""

    @promise("store.settle.consumed", core=True)
    async def test_what_a_batch_has_settled_is_pending_no_more_and_the_rest_is(self, store: SessionStore) -> None:
        """What `append` consumes is pending no more, now and for later owners; everything else is."""
        info = await with_messages(store, "a", "b", "c", "d")
        async with store.open(info.id) as db:
            await db.append([b'{"took":"c a"}', b"{}"], consume=["c", "a"])
            assert await names(db) == ["b", "d"]
            await db.commit()
            await db.append([b'{"took":"d"}'], consume=["d"])
            assert await names(db) == ["b"]
        async with store.open(info.id) as db:
            assert await names(db) == ["b"]
            assert (await store.verify(info.id)).sound
        assert [record.body for record in await records(store, info.id)] == [b'{"took":"c a"}', b"{}", b'{"took":"d"}']

    @promise("store.settle.unseen")
    async def test_what_was_put_a_moment_ago_can_be_settled_unseen(self, store: SessionStore) -> None:
        """A message may be consumed by who knows its id, without a look at what is pending."""
        info = session()
        async with store.create(info) as db:
            await store.put(info.id, "one", b"{}")
            await db.append([b"{}"], consume=["one"])
            assert await names(db) == []

    @promise("store.settle.atomic", core=True)
    @pytest.mark.parametrize("consume", [["c"], ["a", "c"], ["a", "a"], ["b"]])
    async def test_what_is_not_pending_cannot_be_settled_and_then_nothing_is_written(
        self, store: SessionStore, consume: Sequence[str]
    ) -> None:
        """A batch that consumes what is not pending, or something twice, is refused: no record, nothing settled."""
        info = await with_messages(store, "a", "b")
        async with store.open(info.id) as db:
            head = await db.append([b"{}"], consume=["b"])
            with pytest.raises(ValueError):  # noqa: PT011 - the port does not say in which words
                await db.append([b'{"n":1}'], consume=consume)
            with pytest.raises(ValueError):  # noqa: PT011 - as above
                await db.append([], consume=["a"])
            assert db.head == head
            assert await names(db) == ["a"]
        async with store.open(info.id) as db:
            assert await names(db) == ["a"]
        assert len(await records(store, info.id)) == 1

    @promise("store.settle.fenced")
    async def test_an_owner_that_left_settles_nothing(self, store: SessionStore) -> None:
        """Who has left gets `Fenced` from `append`, `pending` and `woken`, and settles nothing."""
        info = await with_messages(store, "one")
        async with store.open(info.id) as gone:
            await gone.pending()
        async with store.open(info.id) as db:
            for attempt in (gone.append([b"{}"], consume=["one"]), gone.pending(), gone.woken()):
                with pytest.raises(Fenced):
                    await attempt
            assert await names(db) == ["one"]
            await db.append([b"{}"], consume=["one"])
        assert len(await records(store, info.id)) == 1

    @promise("store.settle.remembered")
    async def test_the_newest_messages_that_were_settled_are_known(self, store: SessionStore) -> None:
        """Of settled messages as many ids are known as the port says."""
        info, sent = session(), [f"message {number}" for number in range(INBOX_REMEMBERED)]
        async with store.create(info) as db:
            for first in range(0, INBOX_REMEMBERED, INBOX_MESSAGES):
                some = sent[first : first + INBOX_MESSAGES]
                for name in some:
                    assert await store.put(info.id, name, b"{}")
                await db.append([b"{}"], consume=some)
                await db.commit()
        for name in (sent[0], sent[1], sent[-1]):
            assert not await store.put(info.id, name, b"{}")

    @promise("store.settle.woken", core=True)
    async def test_who_waits_for_messages_misses_none(self, store: SessionStore, opened: Opened) -> None:
        """Who looks at what is pending after each `woken` misses nothing that was put here, or told by `wake`."""
        info = await with_messages(store, "before")
        seen = list[str]()
        with anyio.fail_after(30):
            async with opened() as other, store.open(info.id) as db:
                await _until(db, seen, 1)
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(_until, db, seen, 4)
                    await anyio.wait_all_tasks_blocked()  # it waits already, also where putting does not
                    await store.put(info.id, "here", b"{}")
                    await other.put(info.id, "elsewhere", b"{}")
                    store.wake(info.id)
                    await store.put(info.id, "here again", b"{}")
                await store.put(info.id, "while nobody waits", b"{}")
                await _until(db, seen, 5)
        assert seen == ["before", "here", "elsewhere", "here again", "while nobody waits"]

    @promise("store.settle.woken-cancelled")
    async def test_who_gives_up_waiting_for_messages_keeps_nobody_else_from_it(self, store: SessionStore) -> None:
        """`woken` may be cancelled, and several may wait at a time: one message wakes all."""
        info = session()
        with anyio.fail_after(30):
            async with store.create(info) as db:
                await db.woken()
                async with anyio.create_task_group() as tasks:
                    for _ in range(3):
                        tasks.start_soon(db.woken)
                    await anyio.wait_all_tasks_blocked()
                    tasks.cancel_scope.cancel()
                async with anyio.create_task_group() as tasks:
                    for _ in range(3):
                        tasks.start_soon(db.woken)
                    await anyio.wait_all_tasks_blocked()
                    await store.put(info.id, "one", b"{}")


async def _until(db: SessionDb, seen: list[str], count: int) -> None:
    """Settle what comes, until that many have."""
    while len(seen) < count:
        await db.woken()
        new = await names(db)
        if new:
            await db.append([b"{}"], consume=new)
        seen += new
