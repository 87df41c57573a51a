"""What a store promises of durability: a commit is one for all who wait, and a write that failed can be repeated."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import anyio
import anyio.lowlevel
import pytest

from kiro_core.errors import Unavailable
from kiro_core.ports import SessionStore
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import names, records, session, with_messages


class CommitPromises:
    """Commit, and what to do about an outage."""

    @promise("store.log.commit")
    async def test_commit_keeps_what_was_appended(self, store: SessionStore) -> None:
        """`commit` changes neither records nor head, and may be called with nothing to do."""
        info = session()
        async with store.create(info) as db:
            await db.commit()
            head = await db.append([b"{}"])
            await db.commit()
            assert db.head == head
            assert [record.seq for record in await records(store, info.id)] == [head]

    @promise("store.log.commits")
    async def test_commits_at_a_time_all_return_when_their_records_are_durable(self, store: SessionStore) -> None:
        """Many tasks may append and commit at a time, and each returns."""
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

    @promise("store.log.commit-cancelled")
    async def test_who_gives_up_waiting_for_a_commit_keeps_nobody_else_from_it(self, store: SessionStore) -> None:
        """A `commit` that is cancelled leaves the session usable, for appending and committing."""
        with anyio.fail_after(30):
            async with store.create(session()) as db:
                await db.append([b"{}"])
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(db.commit)
                    await anyio.lowlevel.checkpoint()
                    tasks.cancel_scope.cancel()
                await db.append([b"{}"])
                await db.commit()

    @promise("store.log.repeated")
    async def test_a_batch_of_which_nobody_knows_whether_it_was_written_is_there_once_when_it_is_repeated(
        self, store: SessionStore, outage: Callable[[], AbstractContextManager[object]] | None
    ) -> None:
        """Behind `Unavailable` the same batch may be appended again, and is there once; needs the fixture `outage`."""
        if outage is None:
            pytest.skip("nobody can say how this store fails: give the fixture `outage`")
        info = await with_messages(store, "one")
        async with store.open(info.id) as db:
            await db.append([b'{"n":1}'])
            with outage(), pytest.raises(Unavailable):
                await db.append([b'{"n":2}', b'{"n":3}'], consume=["one"])
            head = await db.append([b'{"n":2}', b'{"n":3}'], consume=["one"])
            assert await names(db) == []
        found = await records(store, info.id)
        assert [record.body for record in found] == [b'{"n":1}', b'{"n":2}', b'{"n":3}']
        assert found[-1].seq == head
