"""What is special to one SQLite file: who may read it, what a person may do to it, and what an owner is told then."""

import shutil
import sqlite3
import stat
from contextlib import closing
from dataclasses import replace
from uuid import uuid4

import anyio
import pytest
from kiro_core.errors import Fenced, RecordInvalid, SessionNotFound, Unavailable
from kiro_core.types import SessionId, SessionInfo, SessionQuery

from kiro_sqlite.database import Database

NOW = "2025-01-02T03:04:05Z"


@pytest.fixture
def info():
    return SessionInfo(SessionId(str(uuid4())), "/work", NOW, NOW, name="nightly", tags=("review",))


@pytest.fixture
def change(path):
    """What changes the file behind the store's back."""

    def change(sql, *values):
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            return other.execute(sql, values).fetchall()

    return change


async def test_nobody_else_reads_its_files(opened, info, path):
    async with opened() as store, store.create(info):
        files = [file for file in path.parent.rglob("*") if not file.is_dir()]
        folders = [file for file in path.parent.iterdir() if file.is_dir()]
        assert {file.name for file in files} > {"sessions.db", "sessions.db-wal", "sessions.db-shm"}
        assert [stat.S_IMODE(file.stat().st_mode) for file in files] == [0o600] * 4
        assert [(file.name, stat.S_IMODE(file.stat().st_mode)) for file in folders] == [("sessions.db-owners", 0o700)]
    assert not any(folders[0].iterdir())


async def test_of_many_that_make_the_file_all_have_the_same_one(opened, path):
    async def begin(number):
        async with opened() as store, store.create(SessionInfo(SessionId(str(number)), "/", NOW, NOW)):
            pass

    async with anyio.create_task_group() as tasks:
        for number in range(8):
            tasks.start_soon(begin, number)
    async with opened() as store:
        assert len((await store.list(SessionQuery())).items) == 8
    assert not list(path.parent.glob("*.new"))


async def test_an_owner_whose_pipe_was_removed_writes_nothing_once_there_is_another(opened, info, path):
    async with opened() as store, store.create(info) as first:
        await first.append([b'{"n":1}'])
        shutil.rmtree(path.with_name("sessions.db-owners"))
        async with store.open(info.id) as second:
            with pytest.raises(Fenced):
                await first.append([b'{"n":2}'])
            assert first.lost.is_set()
            assert await second.append([b'{"n":3}']) == 2
        assert [record.body async for record in store.read(info.id)] == [b'{"n":1}', b'{"n":3}']


async def test_a_batch_that_is_there_although_its_writer_was_told_otherwise_is_there_once(
    opened, info, change, monkeypatch
):
    write = Database.write

    async def cut_off(*arguments, **options):
        await write(*arguments, **options)
        raise Unavailable("Nobody knows.")

    async with opened() as store, store.create(info) as db:
        for name in ("a", "b"):
            await store.put(info.id, name, b"{}")
        await db.append([b'{"n":1}'])
        with monkeypatch.context() as broken, pytest.raises(Unavailable):
            broken.setattr(Database, "write", cut_off)
            await db.append([b'{"n":2}', b'{"n":3}'], consume=["a"])
        await db.commit()
        assert change("SELECT head, durable FROM session") == [(3, 1)]
        assert await db.append([b'{"n":2}', b'{"n":3}'], consume=["a"]) == 3
        await db.commit()
        assert change("SELECT head, durable FROM session") == [(3, 3)]
        assert [message.id for message in await db.pending()] == ["b"]
        assert [record.seq for record in await db.tail(9)] == [1, 2, 3]


async def test_behind_a_commit_that_failed_nothing_is_stored(opened, info, monkeypatch):
    async def refused(*_, **__):
        raise Unavailable("The disk is gone.")

    async with opened() as store:
        async with store.create(info) as db:
            await db.append([b"{}"])
            with monkeypatch.context() as broken, pytest.raises(Unavailable):
                broken.setattr(Database, "write", refused)
                await db.commit()
            with pytest.raises(Unavailable):
                await db.append([b"{}"])
        async with store.open(info.id) as db:
            await db.append([b"{}"])


async def test_who_waits_too_long_for_another_writer_is_told_so(opened, info, path):
    async with opened(busy_s=0.05) as store:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(Unavailable, match="another process has been writing to it for too long") as refused:
                async with store.create(info):
                    pass
        assert "busy_s" in refused.value.hint
        async with store.create(info):
            pass


async def test_a_session_that_is_made_anew_while_it_is_read_is_another_one(opened, info):
    async with opened() as store:
        async with store.create(info) as db:
            await db.append([b'{"pad":"%b"}' % (b"x" * 2**20)] * 2)
        reading = aiter(store.read(info.id))
        assert (await anext(reading)).seq == 1
        await store.delete(info.id)
        async with store.create(info) as db:
            await db.append([b"{}"] * 3)
        with pytest.raises(SessionNotFound):
            await anext(reading)


@pytest.mark.parametrize("replaced", [False, True], ids=["removed", "replaced"])
async def test_nothing_is_said_to_be_stored_in_a_file_that_was_removed(opened, info, path, replaced):
    async with opened() as store, store.create(info) as db:
        await db.append([b"{}"])
        for file in path.parent.glob("sessions.db*"):
            if file.is_file():
                file.unlink()
        if replaced:
            async with opened():
                pass
        for attempt in (
            db.append([b"{}"]),
            store.get(info.id),
            store.list(SessionQuery()),
            store.put(info.id, "a", b"{}"),
        ):
            with pytest.raises(Unavailable):
                await attempt


async def test_what_somebody_took_out_of_the_log_is_told(opened, info, change):
    async with opened() as store:
        async with store.create(info) as db:
            await db.append([b"{}"] * 9)
        change("DELETE FROM record WHERE seq IN (1, 4, 5, 9)")
        lost = [
            b'{"at":"","kind":"gap","data":{"first":%d,"last":%d,"bytes":0}}' % gap for gap in [(1, 1), (4, 5), (9, 9)]
        ]
        found = [(record.seq, record.body) async for record in store.read(info.id)]
        assert found == [(1, lost[0]), *((seq, b"{}") for seq in (2, 3)), (4, lost[1])] + [
            *((seq, b"{}") for seq in (6, 7, 8)),
            (9, lost[2]),
        ]
        assert [record.seq async for record in store.read(info.id, 4)] == [6, 7, 8, 9]
        report = await store.verify(info.id)
        assert [(finding.kind, finding.first, finding.last) for finding in report.findings] == [
            ("gap", 1, 1),
            ("gap", 4, 5),
            ("gap", 9, 9),
        ]
        assert report.sound


async def test_what_cannot_be_read_is_found_left_out_and_mended(opened, info, change):
    async with opened() as store:
        async with store.create(info) as db:
            await db.append([b"{}"] * 3)
            await store.put(info.id, "one", b"{}")
        change("UPDATE session SET info = '{\"id', owner = x'00'")
        change("UPDATE record SET body = x'00ff' WHERE seq = 2")
        change("UPDATE message SET body = x'ff'")
        with pytest.raises(RecordInvalid, match="damaged"):
            await store.get(info.id)
        page = await store.list(SessionQuery(tag="review"))
        assert (list(page.items), list(page.damaged)) == ([], [info.id])

        bodies = [b"{}", b'{"at":"","kind":"gap","data":{"first":2,"last":2,"bytes":2}}', b"{}"]
        assert [record.body async for record in store.read(info.id)] == bodies

        report = await store.verify(info.id, repair=True)
        assert [finding.kind for finding in report.findings] == ["metadata", "owner", "damaged", "inbox"]
        assert report.sound
        assert report.repaired
        mended = await store.get(info.id)
        assert (mended.cwd, mended.name) == (info.cwd, info.name)
        assert [record.body async for record in store.read(info.id)] == bodies
        aside = [(0, b'{"id'), (2, b"\x00\xff"), (0, b"\xff")]
        assert change("SELECT seq, content FROM damaged ORDER BY rowid") == aside


async def test_a_session_of_a_newer_format_is_neither_opened_nor_mended(opened, info, change):
    async with opened() as store:
        async with store.create(info):
            pass
        change("UPDATE session SET format = 99")
        for attempt in (store.get(info.id), store.verify(info.id, repair=True)):
            with pytest.raises(RecordInvalid, match="format 99"):
                await attempt
        assert list((await store.list(SessionQuery())).damaged) == [info.id]


@pytest.mark.parametrize("session", ["\ud800", "caf\udce9", "a\0b", "../other", "", "x" * 9999])
async def test_what_can_be_no_id_is_the_id_of_no_session(opened, session):
    session = SessionId(session)
    async with opened() as store:
        for attempt in (
            store.get(session),
            store.verify(session),
            store.delete(session),
            store.put(session, "a", b"{}"),
        ):
            with pytest.raises(SessionNotFound):
                await attempt
        for attempt in (store.holder(session), store.freed(session), store.evict(session, 1)):
            with pytest.raises(SessionNotFound):
                await attempt
        with pytest.raises(SessionNotFound):
            async with store.open(session):
                pass
        with pytest.raises(SessionNotFound):
            await anext(aiter(store.read(session)))


async def test_metadata_that_are_no_text_are_refused_and_nothing_is_stored(opened, info):
    named = replace(info, cwd="/home/ada/caf\udce9")
    async with opened() as store:
        for refused in (named, replace(info, id=SessionId("\ud800")), replace(info, tags=("\udcff",))):
            with pytest.raises(RecordInvalid, match="no Unicode text") as told:
                async with store.create(refused):
                    pass
            assert told.value.hint
        assert list((await store.list(SessionQuery())).items) == []
        async with store.create(info) as db:
            with pytest.raises(RecordInvalid, match="no Unicode text"):
                await db.put_info(named)
            assert (db.info, await store.get(info.id)) == (info, info)


async def test_what_can_be_no_name_finds_no_session(opened, info):
    async with opened() as store, store.create(info):
        for query in (SessionQuery(name="\ud800"), SessionQuery(tag="\udcff"), SessionQuery(cwd="/caf\udce9")):
            assert list((await store.list(query)).items) == []
        assert list((await store.list(SessionQuery(cwd="/home/ada\0b"))).items) == []
        for cursor in ("\ud800 x", "x"):
            with pytest.raises(ValueError, match="list again from the beginning"):
                await store.list(SessionQuery(), cursor)


async def test_numbers_may_be_larger_than_those_of_sqlite(opened, info):
    async with opened() as store, store.create(info) as db:
        await db.append([b"{}"] * 2)
        for number in (2**63 - 1, 2**63, 2**99):
            assert [record.seq async for record in store.read(info.id, number)] == []
            assert [record.seq async for record in store.read(info.id, -number)] == [1, 2]
            assert [record.seq for record in await db.tail(number)] == [1, 2]
            assert list(await db.tail(-number)) == []
            assert len((await store.list(SessionQuery(), limit=number)).items) == 1
        for number in (0, -1, -(2**63)):
            with pytest.raises(ValueError, match="at least one session"):
                await store.list(SessionQuery(), limit=number)


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"no database" * 99, "is no database"), (b"", "is no file of kiro-sqlite"), (None, "tables of version 9")],
    ids=["text", "empty", "newer"],
)
async def test_a_file_that_is_not_ours_is_refused(opened, path, change, content, words):
    if content is not None:
        path.write_bytes(content)
    else:
        change("PRAGMA user_version = 9")
    with pytest.raises(Unavailable, match=words) as refused:
        async with opened():
            pass
    assert refused.value.hint
