"""Deleting a session in files leaves it whole or gone, whatever crash or contender comes between."""

import errno
import fcntl
import os
import sys
from contextlib import suppress
from pathlib import Path

import anyio
import pytest

from kiro_core.errors import Held, RecordInvalid, SessionNotFound, Unavailable
from kiro_core.testing.store_samples import records, session, stored
from kiro_core.types import SessionQuery


class Crash(BaseException):
    """The end of the process, as far as the code that it meets can tell."""


async def written(store):
    info = session()
    async with store.create(info) as db:
        await db.append([b"{}", b"{}"])
    await store.put(info.id, "a message", b"{}")
    return info


def crash_at(monkeypatch, step):
    """Let the process die in front of its n-th removal of a file."""
    unlink, steps = Path.unlink, iter(range(100))

    def counted(self, *, missing_ok=False):
        if next(steps) == step:
            raise Crash
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", counted)


async def test_no_file_of_a_deleted_session_stays(store, root):
    info, other = await written(store), await stored(store)
    for kind in ("json.new", "damaged", "json.damaged", "inbox.new"):
        (root / f"{info.id}.{kind}").touch()
    await store.delete(info.id)
    assert {file.name.partition(".")[0] for file in root.glob("[!.]*")} == {other.id}


@pytest.mark.parametrize("content", [b"", b"{", b'{"format":2}'])
async def test_a_damaged_session_is_deleted_too(store, root, content):
    info = await written(store)
    (root / f"{info.id}.json").write_bytes(content)
    await store.delete(info.id)
    assert not list(root.glob("[!.]*"))


async def test_a_damaged_session_is_not_deleted_out_of_the_trash(store, root):
    info = await written(store)
    (root / f"{info.id}.json").write_bytes(b"{")
    with pytest.raises(RecordInvalid):
        await store.delete(info.id, trashed="2025-01-01T00:00:00Z")
    assert (root / f"{info.id}.jsonl").stat().st_size


async def test_metadata_that_are_made_anew_leave_a_session_in_the_trash(store, root):
    info = await stored(store, trashed="2025-01-01T00:00:00Z")
    file = root / f"{info.id}.json"
    file.write_bytes(file.read_bytes()[:-2])
    assert (await store.verify(info.id, repair=True)).repaired
    assert (await store.get(info.id)).trashed == info.trashed


@pytest.mark.parametrize("name", ["../../etc/passwd", "", ".", "ABCDEF01-2345-4789-abcd-ef0123456789"])
async def test_only_a_canonical_uuid_is_looked_for(store, root, name):
    with pytest.raises(SessionNotFound):
        await store.delete(name)
    assert not root.exists()


@pytest.mark.parametrize("step", range(8))
async def test_a_crash_leaves_the_session_whole_or_unlisted_with_remains_that_go(store, root, monkeypatch, step):
    info = await written(store)
    crash_at(monkeypatch, step)
    with pytest.raises(Crash):
        await store.delete(info.id)
    monkeypatch.undo()
    if step == 0:
        async with store.open(info.id) as db:
            assert db.head == 2
        await store.delete(info.id)
    else:
        assert not (await store.list(SessionQuery())).items
        for vain in (store.get(info.id), store.open(info.id).__aenter__(), store.delete(info.id)):
            with pytest.raises(SessionNotFound):
                await vain
    assert not list(root.glob("[!.]*"))
    async with store.create(info) as db:
        assert db.head == 0


async def test_the_metadata_are_gone_for_good_before_the_log_goes(store, monkeypatch):
    info = await written(store)
    done = []
    unlink, fsync = Path.unlink, os.fsync
    monkeypatch.setattr(Path, "unlink", lambda self, **options: done.append(self.suffix) or unlink(self, **options))
    monkeypatch.setattr(os, "fsync", lambda fd: done.append("durable") or fsync(fd))
    await store.delete(info.id)
    assert done[:3] == [".json", "durable", ".jsonl"]
    assert done[-2:] == [".lock", "durable"]


async def test_who_finds_a_log_without_metadata_is_told_what_can_be_done(store, root):
    info = await written(store)
    (root / f"{info.id}.json").unlink()
    with pytest.raises(Held, match="without its metadata") as refused:
        await store.create(info).__aenter__()
    assert f"sessions verify {info.id} --repair" in refused.value.hint
    assert "delete" in refused.value.hint
    assert (root / f"{info.id}.jsonl").stat().st_size


@pytest.mark.parametrize("again", [False, True])
async def test_a_lock_on_a_removed_file_is_worth_nothing(store, root, monkeypatch, again):
    """Who opened the lock file before it was removed locks it when its session is gone, or another is there."""
    info = await written(store)
    flock = fcntl.flock

    async def delete():
        await store.delete(info.id)
        if again:
            async with store.create(info) as db:
                await db.append([b'{"new":1}'])

    def late(fd, operation):
        monkeypatch.undo()
        anyio.from_thread.run(delete)
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with anyio.fail_after(10):
        if again:
            async with store.open(info.id) as db:
                assert [record.body for record in await db.tail(9)] == [b'{"new":1}']
        else:
            with pytest.raises(SessionNotFound):
                await store.open(info.id).__aenter__()
            assert not list(root.glob("[!.]*"))


async def test_a_reader_is_told_when_the_session_is_deleted_under_it(store, monkeypatch):
    monkeypatch.setattr("kiro_files.reading.PART_BYTES", 10)
    info = session()
    async with store.create(info) as db:
        for _ in range(5):
            await db.append([b"{}"])
    reading = store.read(info.id)
    await anext(reading)
    await store.delete(info.id)
    with pytest.raises(SessionNotFound):
        async for _ in reading:
            pass


async def test_a_file_that_cannot_be_removed_is_told_and_the_session_is_free_for_another_try(store, monkeypatch):
    def refuse(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    info = await written(store)
    monkeypatch.setattr(Path, "unlink", refuse)
    with pytest.raises(Unavailable, match="could not be deleted"):
        await store.delete(info.id)
    monkeypatch.undo()
    assert len(await records(store, info.id)) == 2
    await store.delete(info.id)


CONTENDER = """
import sys
from contextlib import suppress
import anyio
from kiro_core.errors import Held, SessionNotFound
from kiro_core.testing.store_samples import session
from kiro_files import FilesOptions, open_store

async def main(root, id_):
    info = session(id=id_)
    async with open_store(FilesOptions(root=root)) as store:
        for _ in range(150):
            with suppress(Held):
                async with store.create(info) as db:
                    assert db.head == 0, "what was deleted came back"
                    await db.append([b'{"n":1}', b'{"n":2}'])
            with suppress(Held, SessionNotFound):
                async with store.open(info.id) as db:
                    assert db.head == 2, "half a session was opened"
                    await db.put_info(info)
            with suppress(Held, SessionNotFound):
                await store.delete(info.id)

anyio.run(main, *sys.argv[1:])
"""


async def test_processes_that_create_open_and_delete_one_session_never_see_half_of_it(store, root):
    info = session()

    async def contend():
        await anyio.run_process([sys.executable, "-c", CONTENDER, str(root), info.id], stderr=None)

    with anyio.fail_after(120):
        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(contend)
    with suppress(SessionNotFound):
        await store.delete(info.id)
    assert not list(root.glob("[!.]*"))
