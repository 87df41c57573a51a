"""What a store promises to several processes: it is one store, and the death of one harms no other."""

from __future__ import annotations

import json

import anyio
import pytest

from kiro_core.errors import Held
from kiro_core.ports import SessionStore
from kiro_core.testing.elsewhere import BOUND_S, StartedElsewhere
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import names, records, session, stored

_CONTENDERS, _ROUNDS = 3, 5


class ProcessPromises:
    """Lease, log and inbox, seen from elsewhere."""

    @promise("store.process.one-owner", core=True)
    async def test_a_session_has_one_owner_among_all_processes(
        self, store: SessionStore, elsewhere: StartedElsewhere
    ) -> None:
        """What one process holds is refused to every other one with `Held`, and free for all once it leaves."""
        info = await stored(store)
        async with elsewhere() as other:
            first = await other.ask("hold", session=info.id)
            with pytest.raises(Held):
                async with store.open(info.id):
                    pass
            assert await store.holder(info.id)
            assert await other.ask("leave") == {"left": True}
            async with store.open(info.id) as db:
                assert db.epoch > first["epoch"]
                assert await other.ask("hold", session=info.id) == {"error": "SESSION_HELD"}

    @promise("store.process.freed")
    async def test_who_waits_is_told_when_another_process_lets_go(
        self, store: SessionStore, elsewhere: StartedElsewhere
    ) -> None:
        """`freed` also tells when another process has left the session, or was killed."""
        info = await stored(store)
        with anyio.fail_after(BOUND_S):
            async with elsewhere() as other:
                for end in (lambda: other.ask("leave"), other.killed):
                    await other.ask("hold", session=info.id)
                    async with anyio.create_task_group() as tasks:
                        tasks.start_soon(store.freed, info.id)
                        await anyio.wait_all_tasks_blocked()
                        await end()

    @promise("store.process.death", core=True)
    async def test_the_session_of_a_killed_process_is_free_and_has_all_that_it_wrote(
        self, store: SessionStore, elsewhere: StartedElsewhere
    ) -> None:
        """An owner that dies by kill -9 leaves its session free and its records whole; the next epoch is higher."""
        info = await stored(store)
        with anyio.fail_after(BOUND_S):
            async with elsewhere() as other:
                first = await other.ask("hold", session=info.id)
                head = (await other.ask("append", batch=['{"n":1}', '{"n":2}']))["head"]
                await other.killed()
            await store.freed(info.id)
            async with store.open(info.id) as db:
                assert db.head == head
                assert db.epoch > first["epoch"]
                assert await db.append([b'{"n":3}']) > head
        assert [record.body for record in await records(store, info.id)] == [b'{"n":1}', b'{"n":2}', b'{"n":3}']

    @promise("store.process.contenders")
    async def test_processes_that_contend_have_a_session_one_after_the_other(
        self, store: SessionStore, elsewhere: StartedElsewhere
    ) -> None:
        """Processes that fight for a session never have it together: each epoch has one owner, and all its records."""
        info = await stored(store)
        epochs = list[int]()

        async def contend() -> None:
            async with elsewhere() as other:
                epochs.extend((await other.ask("contend", session=info.id, rounds=_ROUNDS))["epochs"])

        async with anyio.create_task_group() as tasks:
            for _ in range(_CONTENDERS):
                tasks.start_soon(contend)
        found = await records(store, info.id)
        assert len(set(epochs)) == len(epochs) == _CONTENDERS * _ROUNDS
        assert [record.epoch for record in found] == [epoch for epoch in sorted(epochs) for _ in range(2)]
        assert all(json.loads(record.body)["epoch"] == record.epoch for record in found)

    @promise("store.process.inbox")
    async def test_what_another_process_puts_arrives(self, store: SessionStore, elsewhere: StartedElsewhere) -> None:
        """A message that another process puts is pending here, once, and its owner is woken by `wake` at the latest."""
        info = session()
        with anyio.fail_after(BOUND_S):
            async with elsewhere() as other, store.create(info) as db:
                await db.woken()
                assert await other.ask("put", session=info.id, id="one") == {"new": True}
                store.wake(info.id)
                await db.woken()
                assert await names(db) == ["one"]
                assert not await store.put(info.id, "one", b"{}")
                await db.append([b"{}"], consume=["one"])
                assert await other.ask("put", session=info.id, id="one") == {"new": False}
                assert await names(db) == []

    @promise("store.process.reading")
    async def test_another_process_reads_beside_the_owner(
        self, store: SessionStore, elsewhere: StartedElsewhere
    ) -> None:
        """What `append` has returned for can be read by every process, while the session is held."""
        info = session()
        async with elsewhere() as other, store.create(info) as db:
            for bodies in (['{"n":1}'], ['{"n":1}', '{"n":2}', '{"n":3}']):
                await db.append([body.encode() for body in bodies if db.head == 0 or body != '{"n":1}'])
                assert await other.ask("read", session=info.id) == {"bodies": bodies}

    @promise("store.process.evict")
    async def test_who_is_evicted_is_gone_and_who_cannot_be_keeps_the_session(
        self, store: SessionStore, elsewhere: StartedElsewhere
    ) -> None:
        """`evict` ends the owner in another process and tells who it was, or raises `Held` and changes nothing."""
        info = await stored(store)
        with anyio.fail_after(BOUND_S):
            async with elsewhere() as other:
                first = await other.ask("hold", session=info.id)
                try:
                    owner = await store.evict(info.id, 5)
                except Held:
                    assert await other.ask("append", batch=["{}"])
                    return
                assert owner["epoch"] == first["epoch"]
                async with store.open(info.id) as db:
                    assert db.epoch > first["epoch"]
                assert await other.hear() is None
