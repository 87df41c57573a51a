"""What a store promises to those who read a log without holding the session."""

from __future__ import annotations

import anyio
import anyio.lowlevel
import pytest

from kiro_core.errors import SessionNotFound
from kiro_core.ports import SessionStore
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import records, session, stored


class ReadingPromises:
    """Whole batches, in order, beside a live owner."""

    @promise("store.read.empty")
    async def test_a_new_session_has_no_records(self, store: SessionStore) -> None:
        """`read` of a new session gives nothing, and raises nothing."""
        info = await stored(store)
        assert await records(store, info.id) == []

    @promise("store.read.beside")
    async def test_what_was_appended_can_be_read_beside_the_owner(self, store: SessionStore) -> None:
        """What `append` has returned for can be read by anybody, while the session is held."""
        info = session()
        async with store.create(info) as db:
            for count in (1, 3):
                await db.append([b"{}"] * count)
                assert (await records(store, info.id))[-1].seq == db.head

    @promise("store.read.after", core=True)
    async def test_reading_begins_behind_a_number(self, store: SessionStore) -> None:
        """`read` gives exactly the records behind the number: a client that looks away goes on where it was."""
        info = session()
        async with store.create(info) as db:
            for _ in range(3):
                await db.append([b"{}", b"{}"])
        everything = await records(store, info.id)
        for count, record in enumerate(everything, 1):
            assert await records(store, info.id, record.seq) == everything[count:]

    @promise("store.read.whole-batches", core=True)
    async def test_a_reader_beside_a_writer_sees_whole_batches_only(self, store: SessionStore) -> None:
        """A reader sees a batch whole or not at all, also while it is written."""
        info = session()
        batches = [
            [b'{"batch":%d,"part":%d,"pad":"%b"}' % (n, part, b"x" * 500) for part in range(5)] for n in range(200)
        ]
        done = anyio.Event()

        async def write() -> None:
            for batch in batches:
                await db.append(batch)
                await anyio.lowlevel.checkpoint()
            done.set()

        with anyio.fail_after(30):
            async with store.create(info) as db, anyio.create_task_group() as tasks:
                tasks.start_soon(write)
                while not done.is_set():
                    assert len(await records(store, info.id)) % 5 == 0
                    await anyio.lowlevel.checkpoint()  # a store need not wait for anything
        assert [record.body for record in await records(store, info.id)] == [
            body for batch in batches for body in batch
        ]

    @promise("store.read.long")
    async def test_a_long_log_is_read_whole(self, store: SessionStore) -> None:
        """Twenty thousand records are read, each once and in order."""
        info = session()
        async with store.create(info) as db:
            for first in range(0, 20_000, 1000):
                await db.append(
                    [b'{"n":%d,"pad":"................................"}' % n for n in range(first, first + 1000)]
                )
        found = await records(store, info.id)
        assert len(found) == 20_000
        assert [record.seq for record in found] == sorted({record.seq for record in found})
        assert found[-1].body.startswith(b'{"n":19999,')

    @promise("store.read.unknown")
    async def test_an_unknown_session_cannot_be_read(self, store: SessionStore) -> None:
        """`read` of an id that nobody has raises `SessionNotFound`."""
        with pytest.raises(SessionNotFound):
            await records(store, session().id)

    @promise("store.read.after-long")
    async def test_reading_behind_any_number_of_a_long_log_begins_right_there(self, store: SessionStore) -> None:
        """`read` behind any number of a long log begins there, also behind the last one and behind one of any size."""
        info = session()
        async with store.create(info) as db:
            for _ in range(40):
                await db.append([b'{"pad":"%b"}' % (b"x" * 400)] * 50)
        everything = [record.seq for record in await records(store, info.id)]
        last = everything[-1]
        for after in (0, 1, everything[0], everything[777], everything[-2], last, last + 1, 2**63, 2**64):
            found = [record.seq for record in await records(store, info.id, after)]
            assert found == [number for number in everything if number > after]
