"""A session in files never has two owners and is never stuck, whatever happens to its files and tasks."""

import asyncio
import fcntl
import os
import threading
from contextlib import suppress

import anyio
import pytest
from anyio import to_thread

from kiro_core.errors import Fenced, Held
from kiro_core.testing.store_samples import session, stored
from kiro_files import FilesOptions, open_store


@pytest.mark.parametrize("gone", [["lock"], ["jsonl"], ["lock", "jsonl"]])
async def test_removing_files_under_the_owner_never_gives_two_owners(store, root, gone):
    info = session()
    async with store.create(info) as first:
        await first.append([b'{"n":1}'])
        for kind in gone:
            (root / f"{info.id}.{kind}").unlink()
        if "lock" not in gone or "jsonl" not in gone:
            with pytest.raises(Held):
                await store.open(info.id).__aenter__()
        else:
            async with store.open(info.id) as second:
                await second.append([b'{"n":2}'])
                with pytest.raises(Fenced):
                    await first.append([b'{"n":3}'])
        if "lock" in gone:
            with pytest.raises(Fenced, match="taken away"):
                await first.append([b'{"n":3}'])
            assert first.lost.is_set()
    async with store.open(info.id) as later:
        assert later.epoch > first.epoch
        assert b'{"n":3}' not in [record.body for record in await later.tail(10)]


@pytest.mark.parametrize("operation", ["append", "commit", "tail", "put_info"])
async def test_an_owner_whose_lock_file_was_replaced_is_told_to_stop(store, root, operation):
    info = session()
    async with store.create(info) as db:
        (root / "other").write_bytes(b"")
        (root / "other").rename(root / f"{info.id}.lock")
        argument = {"append": [[b"{}"]], "commit": [], "tail": [1], "put_info": [info]}[operation]
        assert not db.lost.is_set()
        with pytest.raises(Fenced):
            await getattr(db, operation)(*argument)
        assert db.lost.is_set()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\0" * 600,
        b"4711\n",
        b"{",
        b'{"pid":"x"}',
        b'{"epoch":1e99}',
        b'{"epoch":-4,"pid":4711}',
        b"\xff" * 9000,
        b"[" * 2**20,
    ],
)
async def test_whatever_a_lock_file_holds_it_is_only_a_message(store, root, content):
    info = await stored(store)
    lock = root / f"{info.id}.lock"
    lock.write_bytes(content)
    async with store.open(info.id) as db:
        assert db.epoch == 2
        assert lock.stat().st_size == 1024
        lock.write_bytes(content)
        with pytest.raises(Held, match="another process"):
            await store.open(info.id).__aenter__()
        await db.append([b"{}"])


@pytest.mark.parametrize("restored", [["json", "jsonl"], ["jsonl", "lock"], ["lock", "json"]])
async def test_the_epoch_grows_as_long_as_one_file_knows_it(store, root, restored):
    info = session()
    async with store.create(info) as db:
        await db.append([b"{}"])
    old = {kind: (root / f"{info.id}.{kind}").read_bytes() for kind in restored}
    async with store.open(info.id) as db:
        await db.append([b"{}"])
    for kind, content in old.items():
        (root / f"{info.id}.{kind}").write_bytes(content)
    async with store.open(info.id) as later:
        assert later.epoch == db.epoch + 1


async def test_a_lock_file_that_is_replaced_while_it_is_locked_is_taken_anew(store, root, monkeypatch):
    info = await stored(store)
    lock = root / f"{info.id}.lock"
    flock = fcntl.flock

    def late(fd, operation):
        monkeypatch.undo()
        lock.unlink()
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    async with store.open(info.id) as db:
        await db.append([b"{}"])
        assert db.epoch == 2


async def test_a_program_that_is_being_started_while_the_owner_leaves_does_not_keep_the_session(store):
    info = session()
    async with store.create(info) as db:
        copies = [os.dup(file.fd) for file in (db._lease._lock, db._lease._log)]
    async with store.open(info.id):
        for copy in copies:
            os.close(copy)


async def test_what_a_crash_left_of_a_creation_is_no_session(store, root):
    info = await stored(store)
    (root / f"{info.id}.json").unlink()
    async with store.create(info) as db:
        await db.append([b"{}"])
    (root / f"{info.id}.json").unlink()
    with pytest.raises(Held, match="exists already"):
        await store.create(info).__aenter__()


async def test_leaving_waits_for_the_replacement_in_flight(store, monkeypatch):
    info = session()
    entered, go = threading.Event(), threading.Event()
    fsync = os.fsync

    def slow(fd):
        entered.set()
        assert go.wait(10)
        fsync(fd)

    with anyio.fail_after(10):
        async with anyio.create_task_group() as tasks, store.create(info) as db:
            monkeypatch.setattr(os, "fsync", slow)
            tasks.start_soon(db.put_info, session(id=info.id, title="late"))
            assert await to_thread.run_sync(entered.wait, 10)
            tasks.start_soon(to_thread.run_sync, go.set)
        async with store.open(info.id) as db:
            assert db.info.title == "late"


def test_a_task_cancelled_from_outside_while_it_opens_keeps_nothing(root, monkeypatch):
    entered, go = threading.Event(), threading.Event()
    flock = fcntl.flock

    def slow(fd, operation):
        entered.set()
        assert go.wait(10)
        flock(fd, operation)

    async def main():
        async with asyncio.timeout(10), open_store(FilesOptions(root=root)) as store:
            info = await stored(store)
            monkeypatch.setattr(fcntl, "flock", slow)
            opening = asyncio.create_task(store.open(info.id).__aenter__())
            await asyncio.to_thread(entered.wait, 10)
            opening.cancel()
            with pytest.raises(asyncio.CancelledError):
                await opening
            del opening
            go.set()
            while True:
                with suppress(Held):
                    async with store.open(info.id):
                        return

    asyncio.run(main())
