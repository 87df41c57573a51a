"""The bundled store writes each batch with one call, and tells in words what the disk refuses."""

import errno
import os
import sys

import anyio
import pytest

from kiro_core.errors import Unavailable
from kiro_core.testing.store_samples import records, session, stored
from kiro_files import FilesOptions, open_store


@pytest.mark.parametrize("body", [b"", b"[]", b"7", b"null", b'{"a":1}\n', b'{"a":\n1}', b'{"a":1}\n{"a":2}'])
async def test_what_is_not_one_object_on_one_line_is_refused(store, body):
    async with store.create(session()) as db:
        with pytest.raises(ValueError, match="body"):
            await db.append([b"{}", body])
        assert await db.append([b"{}"]) == 1
        assert len(await db.tail(10)) == 1


async def test_a_batch_costs_one_write(store, monkeypatch):
    written = []
    write = os.write
    async with store.create(session()) as db:
        monkeypatch.setattr(os, "write", lambda fd, data: written.append(len(data)) or write(fd, data))
        await db.append([b'{"n":%d}' % n for n in range(100)])
        await db.append([b"{}"])
        monkeypatch.undo()
    assert len(written) == 2


async def test_an_append_never_gives_way(store):
    async with store.create(session()) as db:
        with pytest.raises(StopIteration) as result:
            db.append([b"{}"]).send(None)
    assert result.value.value == 1


async def test_a_write_that_is_cut_short_is_completed(store, monkeypatch):
    info = session()
    write = os.write
    async with store.create(info) as db:
        monkeypatch.setattr(os, "write", lambda fd, data: write(fd, bytes(data[:7])))
        await db.append([b'{"n":1}', b'{"n":2}'])
        monkeypatch.undo()
    assert [record.body for record in await records(store, info.id)] == [b'{"n":1}', b'{"n":2}']


@pytest.mark.parametrize(
    ("number", "words"),
    [(errno.ENOSPC, "disk is full"), (errno.EROFS, "read-only"), (errno.EIO, os.strerror(errno.EIO))],
)
async def test_a_batch_that_the_disk_refuses_leaves_no_trace_and_may_be_repeated(store, monkeypatch, number, words):
    info = session()
    write = os.write
    batch = [b'{"n":2}', b'{"n":3}']

    def fail_midway(fd, data):
        write(fd, data[: len(data) - 5])
        raise OSError(number, os.strerror(number))

    def refuse(*_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    async with store.create(info) as db:
        await db.append([b'{"n":1}'])
        monkeypatch.setattr(os, "write", fail_midway)
        with pytest.raises(Unavailable, match=words) as refused:
            await db.append(batch)
        assert isinstance(refused.value.__cause__, OSError)
        monkeypatch.setattr(os, "ftruncate", refuse)
        with pytest.raises(Unavailable):
            await db.append(batch)
        with pytest.raises(Unavailable):
            await db.append(batch)
        monkeypatch.undo()
        assert db.head == 1
        assert [record.seq for record in await records(store, info.id)] == [1]
        assert await db.append(batch) == 3
    assert [record.body for record in await records(store, info.id)] == [b'{"n":1}', *batch]


FULL_DISK = """
import resource, sys
from pathlib import Path
import anyio
from kiro_core.errors import Unavailable
from kiro_files import FilesOptions, open_store

async def main(root, session):
    log = Path(root, session + ".jsonl")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    async with open_store(FilesOptions(root=root)) as store, store.open(session) as db:
        await db.append([b'{"n":1}'])
        size = log.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 1000, hard))
        batch = [b'{"pad":"%b"}' % (b"x" * 400)] * 5
        try:
            await db.append(batch)
        except Unavailable as error:
            print(error)
        print(log.stat().st_size == size, db.head)
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        print(await db.append(batch))

anyio.run(main, *sys.argv[1:])
"""


async def test_a_full_disk_is_told_and_nothing_torn_remains(store, root):
    info = await stored(store)
    with anyio.fail_after(30):
        done = await anyio.run_process([sys.executable, "-c", FULL_DISK, str(root), info.id])
    sentence, *rest = done.stdout.decode().splitlines()
    assert "largest size allowed" in sentence
    assert rest == ["True 1", "6"]
    assert len(await records(store, info.id)) == 6


async def test_a_flush_that_fails_is_told(store, monkeypatch):
    def refuse(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    async with store.create(session()) as db:
        monkeypatch.setattr("kiro_files.disk._flush", refuse)
        with pytest.raises(Unavailable) as refused:
            await db.commit()
    assert isinstance(refused.value.__cause__, OSError)


async def test_metadata_that_the_disk_refuses_leaves_the_old(store, root, monkeypatch):
    info = session(title="old")

    def refuse(_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    async with store.create(info) as db:
        monkeypatch.setattr(os, "fsync", refuse)
        with pytest.raises(Unavailable, match="disk is full"):
            await db.put_info(session(id=info.id, title="new"))
        monkeypatch.undo()
        assert db.info == await store.get(info.id) == info
    assert len(list(root.glob("[!.]*"))) == 3


async def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    async with open_store(FilesOptions(root=tmp_path / "file")) as store:
        with pytest.raises(Unavailable, match="could not be"):
            await store.create(session()).__aenter__()


async def test_opening_and_tails_cost_the_same_however_long_the_log_is(store, monkeypatch):
    costs = []
    pread = os.pread

    def counted(fd, size, offset):
        block = pread(fd, size, offset)
        costs[-1] += len(block)
        return block

    monkeypatch.setattr(os, "pread", counted)
    for batches in (2, 40):
        info = session()
        async with store.create(info) as db:
            for _ in range(batches):
                await db.append([b'{"pad":"%b"}' % (b"x" * 200)] * 500)
        costs.append(0)
        async with store.open(info.id) as db:
            assert db.head == batches * 500
            assert len(await db.tail(100)) == 100
    assert 0 < max(costs) <= 4 * 65536
