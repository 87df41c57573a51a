"""What a store promises of its log as the owner sees it: batches whole, in order, byte for byte."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from kiro_core.ports import SessionStore
from kiro_core.testing.store_samples import BODIES, records, session


class LogPromises:
    """Append, commit, head and tail."""

    async def test_append_returns_the_new_head(self, store: SessionStore) -> None:
        async with store.create(session()) as db:
            assert db.head == 0
            for batch in ([b"{}"], [b"{}"] * 3):
                before = db.head
                head = await db.append(batch)
                assert head == db.head
                assert head >= before + len(batch)

    async def test_an_empty_batch_changes_nothing(self, store: SessionStore) -> None:
        async with store.create(session()) as db:
            head = await db.append([b"{}"])
            assert await db.append([]) == head
            assert len(await db.tail(10)) == 1

    async def test_a_batch_is_numbered_in_order(self, store: SessionStore) -> None:
        info = session()
        async with store.create(info) as db:
            await db.append([b'{"n":0}'])
            head = await db.append([b'{"n":1}', b'{"n":2}', b'{"n":3}'])
        found = await records(store, info.id)
        assert [record.body for record in found] == [b'{"n":%d}' % n for n in range(4)]
        assert [record.seq for record in found[1:]] == [head - 2, head - 1, head]
        assert found[0].seq < found[1].seq

    @pytest.mark.parametrize("body", BODIES)
    async def test_a_body_comes_back_byte_for_byte(self, store: SessionStore, body: bytes) -> None:
        info = session()
        async with store.create(info) as db:
            await db.append([body, body])
            assert [record.body for record in await db.tail(2)] == [body, body]
        assert [record.body for record in await records(store, info.id)] == [body, body]

    async def test_a_large_body_comes_back_byte_for_byte(self, store: SessionStore) -> None:
        info = session()
        body = b'{"text":"%b"}' % ("é" * 2**19).encode()
        async with store.create(info) as db:
            await db.append([b"{}", body, b"{}"])
            assert [record.body for record in await db.tail(2)] == [body, b"{}"]
        assert [record.body for record in await records(store, info.id)] == [b"{}", body, b"{}"]

    async def test_the_head_survives_the_owner(self, store: SessionStore) -> None:
        info = session()
        async with store.create(info) as db:
            head = await db.append([b"{}"] * 3)
        async with store.open(info.id) as db:
            assert db.head == head
            assert await db.append([b"{}"]) > head
        numbers = [record.seq for record in await records(store, info.id)]
        assert numbers == sorted(set(numbers))

    async def test_the_tail_is_the_last_records_oldest_first(self, store: SessionStore) -> None:
        info = session()
        async with store.create(info) as db:
            assert list(await db.tail(3)) == []
            for n in range(0, 10, 2):
                await db.append([b'{"n":%d}' % n, b'{"n":%d}' % (n + 1)])
            assert [record.body for record in await db.tail(3)] == [b'{"n":7}', b'{"n":8}', b'{"n":9}']
            assert list(await db.tail(0)) == []
            everything = list(await db.tail(1000))
        assert everything == await records(store, info.id)
        assert len(everything) == 10

    async def test_the_tail_reaches_back_to_earlier_owners(self, store: SessionStore) -> None:
        info = session()
        async with store.create(info) as first:
            await first.append([b'{"n":1}'])
        async with store.open(info.id) as second:
            await second.append([b'{"n":2}'])
            assert [(record.epoch, record.body) for record in await second.tail(2)] == [
                (first.epoch, b'{"n":1}'),
                (second.epoch, b'{"n":2}'),
            ]

    async def test_commit_keeps_what_was_appended(self, store: SessionStore) -> None:
        info = session()
        async with store.create(info) as db:
            await db.commit()
            head = await db.append([b"{}"])
            await db.commit()
            assert db.head == head
            assert [record.seq for record in await records(store, info.id)] == [head]

    async def test_commits_at_a_time_all_return_when_their_records_are_durable(self, store: SessionStore) -> None:
        info = session()

        async def write(number: int) -> None:
            await db.append([b'{"n":%d}' % number])
            await db.commit()

        with anyio.fail_after(30):
            async with store.create(info) as db:
                for _ in range(3):
                    async with anyio.create_task_group() as tasks:
                        for number in range(20):
                            tasks.start_soon(write, number)
        assert len(await records(store, info.id)) == 60

    async def test_who_gives_up_waiting_for_a_commit_keeps_nobody_else_from_it(self, store: SessionStore) -> None:
        with anyio.fail_after(30):
            async with store.create(session()) as db:
                await db.append([b"{}"])
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(db.commit)
                    await anyio.lowlevel.checkpoint()
                    tasks.cancel_scope.cancel()
                await db.append([b"{}"])
                await db.commit()
