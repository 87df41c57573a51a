"""What a store promises of its log as the owner sees it: batches whole, in order, byte for byte."""

from __future__ import annotations

import pytest

from kiro_core.ports import SessionStore
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import BODIES, records, session


class LogPromises:
    """Append, head and tail."""

    @promise("store.log.head")
    async def test_append_returns_the_new_head(self, store: SessionStore) -> None:
        """`append` returns the number of its last record, and `head` is that number."""
        async with store.create(session()) as db:
            assert db.head == 0
            for batch in ([b"{}"], [b"{}"] * 3):
                before = db.head
                head = await db.append(batch)
                assert head == db.head
                assert head >= before + len(batch)

    @promise("store.log.empty")
    async def test_an_empty_batch_changes_nothing(self, store: SessionStore) -> None:
        """An empty batch writes nothing and returns the head."""
        async with store.create(session()) as db:
            head = await db.append([b"{}"])
            assert await db.append([]) == head
            assert len(await db.tail(10)) == 1

    @promise("store.log.order", core=True)
    async def test_a_batch_is_numbered_in_order(self, store: SessionStore) -> None:
        """Records have the order of the calls and of each batch, under numbers that grow strictly."""
        info = session()
        async with store.create(info) as db:
            await db.append([b'{"n":0}'])
            head = await db.append([b'{"n":1}', b'{"n":2}', b'{"n":3}'])
        found = await records(store, info.id)
        assert [record.body for record in found] == [b'{"n":%d}' % n for n in range(4)]
        assert [record.seq for record in found[1:]] == [head - 2, head - 1, head]
        assert found[0].seq < found[1].seq

    @promise("store.log.bytes", core=True)
    @pytest.mark.parametrize("body", BODIES)
    async def test_a_body_comes_back_byte_for_byte(self, store: SessionStore, body: bytes) -> None:
        """A body is kept as bytes: blanks, doubled keys, long numbers and escapes come back as they were."""
        info = session()
        async with store.create(info) as db:
            await db.append([body, body])
            assert [record.body for record in await db.tail(2)] == [body, body]
        assert [record.body for record in await records(store, info.id)] == [body, body]

    @promise("store.log.large")
    async def test_a_large_body_comes_back_byte_for_byte(self, store: SessionStore) -> None:
        """A body of a mebibyte comes back as it was."""
        info = session()
        body = b'{"text":"%b"}' % ("é" * 2**19).encode()
        async with store.create(info) as db:
            await db.append([b"{}", body, b"{}"])
            assert [record.body for record in await db.tail(2)] == [body, b"{}"]
        assert [record.body for record in await records(store, info.id)] == [b"{}", body, b"{}"]

    @promise("store.log.continued", core=True)
    async def test_the_head_survives_the_owner(self, store: SessionStore) -> None:
        """The next owner goes on behind the last number; none is given twice."""
        info = session()
        async with store.create(info) as db:
            head = await db.append([b"{}"] * 3)
        async with store.open(info.id) as db:
            assert db.head == head
            assert await db.append([b"{}"]) > head
        numbers = [record.seq for record in await records(store, info.id)]
        assert numbers == sorted(set(numbers))

    @promise("store.log.tail")
    async def test_the_tail_is_the_last_records_oldest_first(self, store: SessionStore) -> None:
        """`tail` gives as many records as asked for from the end, oldest first, as `read` has them."""
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

    @promise("store.log.tail-owners")
    async def test_the_tail_reaches_back_to_earlier_owners(self, store: SessionStore) -> None:
        """`tail` does not stop at where this owner began."""
        info = session()
        async with store.create(info) as first:
            await first.append([b'{"n":1}'])
        async with store.open(info.id) as second:
            await second.append([b'{"n":2}'])
            assert [(record.epoch, record.body) for record in await second.tail(2)] == [
                (first.epoch, b'{"n":1}'),
                (second.epoch, b'{"n":2}'),
            ]
