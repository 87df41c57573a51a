"""Commits share flushes, wait for nothing else, and do not forget that one failed."""

import asyncio
import errno
import os
import threading

import anyio
import pytest
from anyio import to_thread

from kiro_core.errors import Fenced, Held, Unavailable
from kiro_core.testing.store_samples import session, stored
from kiro_files import FilesOptions, disk, open_store


class Flushes:
    """Flushes that wait for a word, or fail; `begun` counts them."""

    def __init__(self, monkeypatch):
        self.begun, self.at_once, self.most = 0, 0, 0
        self.error = None
        self.entered = threading.Semaphore(0)
        self._go = threading.Semaphore(0)
        self._flush = disk._flush
        monkeypatch.setattr(disk, "_flush", self)

    def __call__(self, fd):
        self.begun += 1
        self.at_once += 1
        self.most = max(self.most, self.at_once)
        self.entered.release()
        assert self._go.acquire(timeout=20)
        self.at_once -= 1
        if self.error:
            raise self.error
        self._flush(fd)

    def go(self, times=1000):
        self._go.release(times)

    async def wait(self):
        assert await to_thread.run_sync(lambda: self.entered.acquire(timeout=20))


@pytest.fixture
def flushes(monkeypatch):
    return Flushes(monkeypatch)


async def test_commits_that_wait_for_a_flush_share_the_next_one(store, flushes):
    with anyio.fail_after(20):
        async with store.create(session()) as db, anyio.create_task_group() as tasks:
            await db.append([b"{}"])
            tasks.start_soon(db.commit)
            await flushes.wait()
            for _ in range(50):
                await db.append([b"{}"])
                tasks.start_soon(db.commit)
            await anyio.wait_all_tasks_blocked()
            flushes.go()
        assert flushes.begun == 2


async def test_writers_that_are_ready_together_share_one_flush(store, flushes):
    flushes.go()

    async def write(db):
        for _ in range(5):
            await db.append([b"{}"])
            await db.commit()

    with anyio.fail_after(20):
        async with store.create(session()) as db, anyio.create_task_group() as tasks:
            for _ in range(20):
                tasks.start_soon(write, db)
    assert flushes.begun <= 10, "20 writers flush five times, not a hundred times"


async def test_who_is_cancelled_past_every_shield_leaves_no_flush_behind_that_others_wait_for(
    store, anyio_backend_name
):
    if anyio_backend_name != "asyncio":
        pytest.skip("on trio nothing cancels past a shield")
    async with store.create(session()) as db:
        await db.append([b'{"a":1}'])
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await db.commit()
        await db.append([b'{"b":2}'])
        with anyio.fail_after(20):
            await db.commit()


async def test_a_batch_is_one_write_and_takes_no_waiting(store, monkeypatch):
    write, written = os.write, []
    async with store.create(session()) as db:
        monkeypatch.setattr(os, "write", lambda fd, data: written.append(data) or write(fd, data))
        for size in (1, 2, 300):
            before = db.head
            with pytest.raises(StopIteration) as ended:
                db.append([b"{}"] * size).send(None)
            assert ended.value.value == db.head == before + size
        monkeypatch.undo()
    assert [block.count(b"\n") for block in written] == [1, 2, 300]


async def test_a_commit_without_anything_new_is_no_flush(store, flushes):
    flushes.go()
    async with store.create(session()) as db:
        await db.append([b"{}"])
        for _ in range(3):
            await db.commit()
        assert flushes.begun == 1
        await db.append([b"{}"])
        await db.commit()
        assert flushes.begun == 2


async def test_one_store_flushes_one_log_at_a_time(store, flushes):
    with anyio.fail_after(20):
        async with anyio.create_task_group() as tasks:

            async def work():
                async with store.create(session()) as db:
                    await db.append([b"{}"])
                    await db.commit()

            for _ in range(5):
                tasks.start_soon(work)
            await flushes.wait()
            flushes.go()
        assert (flushes.begun, flushes.most) == (5, 1)


async def test_a_flush_that_stalls_stops_neither_the_log_nor_who_reads_it(store, flushes):
    info = session()
    with anyio.fail_after(20):
        async with store.create(info) as db, anyio.create_task_group() as tasks:
            await db.append([b"{}"])
            tasks.start_soon(db.commit)
            await flushes.wait()
            for number in range(2, 100):
                assert await db.append([b"{}"]) == number
            assert len(await db.tail(1000)) == 99
            assert (await store.verify(info.id)).records == 99
            flushes.go()


async def test_who_gives_up_on_a_stalled_flush_is_free_at_once(store, flushes):
    with anyio.fail_after(20):
        async with store.create(session()) as db:
            await db.append([b"{}"])
            with anyio.move_on_after(0.1) as waiting:
                await db.commit()
            assert waiting.cancelled_caught
            flushes.go()


@pytest.mark.parametrize("again", ["append", "commit", "put_info"])
async def test_a_flush_that_failed_is_not_forgotten(store, flushes, again):
    info = session()
    async with store.create(info) as db:
        await db.append([b"{}"])
        flushes.go()
        flushes.error = OSError(errno.EIO, os.strerror(errno.EIO))
        with pytest.raises(Unavailable) as refused:
            await db.commit()
        assert isinstance(refused.value.__cause__, OSError)
        flushes.error = None
        argument = {"append": [[b"{}"]], "commit": [], "put_info": [info]}[again]
        for _ in range(2):
            with pytest.raises(Unavailable, match="could not be stored") as refused:
                await getattr(db, again)(*argument)
        assert "open it again" in refused.value.hint
        assert not db.lost.is_set()
    async with store.open(info.id) as db:
        await db.append([b"{}"])
        await db.commit()


async def test_everybody_who_waits_is_told_that_the_flush_failed(store, flushes):
    told = []

    async def commit(db):
        try:
            await db.commit()
        except Unavailable:
            told.append(db)

    with anyio.fail_after(20):
        async with store.create(session()) as db:
            await db.append([b"{}"])
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(commit, db)
                await flushes.wait()
                for _ in range(5):
                    await db.append([b"{}"])
                    tasks.start_soon(commit, db)
                await anyio.wait_all_tasks_blocked()
                flushes.error = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                flushes.go()
    assert len(told) == 6


async def test_leaving_a_disk_that_hangs_is_bounded_and_the_session_held_until_it_answers(store, flushes, monkeypatch):
    monkeypatch.setattr(disk, "_LEAVE_SECONDS", 0.1)
    info = session()
    with anyio.fail_after(20):
        async with store.create(info) as db:
            await db.append([b"{}"])
            with anyio.move_on_after(0.1):
                await db.commit()
        with pytest.raises(Fenced):
            await db.append([b"{}"])
        with pytest.raises(Held):
            await store.open(info.id).__aenter__()
        flushes.go()
        await store.freed(info.id)
        async with store.open(info.id) as later:
            assert later.head == 1


async def test_metadata_that_are_late_are_not_written_over_those_of_the_next_owner(root, monkeypatch):
    """A replacement that waits behind a stalled flush when its owner leaves is never made."""
    monkeypatch.setattr(disk, "_LEAVE_SECONDS", 0.1)
    flushes = Flushes(monkeypatch)
    info = session(title="first")
    with anyio.fail_after(20):
        async with open_store(FilesOptions(root=root)) as store, store.create(info) as db:
            await db.append([b"{}"])
            with anyio.move_on_after(0.1):
                await db.commit()
            with anyio.move_on_after(0.1):
                await db.put_info(session(id=info.id, title="late"))
        flushes.go()
        async with open_store(FilesOptions(root=root)) as store:
            await store.freed(info.id)
            async with store.open(info.id) as db:
                await db.put_info(session(id=info.id, title="second"))
            assert (await store.get(info.id)).title == "second"


async def test_a_store_that_is_closed_leaves_no_thread(root):
    async with open_store(FilesOptions(root=root)) as store:
        info = await stored(store)
        async with store.open(info.id) as db:
            await db.append([b"{}"])
            await db.commit()
        (thread,) = [thread for thread in threading.enumerate() if thread.name == "kiro_files committer"]
    await to_thread.run_sync(thread.join, 20)
    assert not thread.is_alive()
