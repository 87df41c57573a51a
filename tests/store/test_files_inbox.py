"""An inbox in a file: the log decides what is settled, and no crash, contender or full disk makes it say otherwise."""

import errno
import fcntl
import json
import os
import stat

import anyio
import pytest

from kiro_core.errors import InboxFull, RecordInvalid, SessionNotFound, Unavailable
from kiro_core.testing.store_samples import names, records, session, stored, with_messages
from kiro_core.types import INBOX_MESSAGES
from kiro_files import FilesOptions, open_store


def lines(root, info):
    return [json.loads(line) for line in (root / f"{info.id}.inbox").read_bytes().splitlines()]


def notes(root, info):
    return [(line["settled"], line["seq"]) for line in lines(root, info) if "settled" in line]


@pytest.fixture
def small(monkeypatch):
    """Inboxes that are rewritten early, and remember little."""
    monkeypatch.setattr("kiro_files.inbox.ROOM", 300)
    monkeypatch.setattr("kiro_files.messages.INBOX_REMEMBERED", 5)


async def test_a_message_is_a_line_and_what_settles_it_stands_in_the_log(store, root):
    info = session()
    async with store.create(info) as db:
        await db.append([b"{}"])
        await store.put(info.id, 'a "name"', b'{ "n": 1 }')
        await store.put(info.id, "other", b"{}")
        (message, _) = await db.pending()
        await db.append([b'{"n":2}', b'{"n":3}'], consume=['a "name"', "other"])
        await db.commit()
    log, inbox = (root / f"{info.id}.{kind}" for kind in ("jsonl", "inbox"))
    assert log.read_bytes().splitlines()[1:] == [
        b'{"format":1,"seq":2,"epoch":1,"until":3,"body":{"n":2}}',
        b'{"format":1,"seq":3,"epoch":1,"until":3,"body":{"n":3},"settled":["a \\"name\\"","other"]}',
    ]
    assert inbox.read_bytes().splitlines()[:2] == [
        b'{"format":1,"settled":[],"seq":1}',
        b'{"format":1,"id":"a \\"name\\"","at":"%b","body":{ "n": 1 }}' % message.at.encode(),
    ]
    assert inbox.read_bytes().splitlines()[3:] == [b'{"format":1,"settled":["a \\"name\\"","other"],"seq":3}']
    assert stat.S_IMODE(inbox.stat().st_mode) == 0o600


async def test_a_session_without_messages_has_no_such_file(store, root):
    info = session()
    async with store.create(info) as db:
        assert await names(db) == []
        await db.append([b"{}"])
        await db.commit()
    async with store.open(info.id):
        pass
    assert not list(root.glob("*.inbox*"))


async def test_wherever_a_batch_is_torn_its_messages_are_settled_with_it_or_pending(store, root):
    info = await with_messages(store, "a", "b", "c")
    async with store.open(info.id) as db:
        await db.append([b'{"n":1}'], consume=["b"])
        await db.append([b'{"n":2}', b'{"n":3}'], consume=["c", "a"])
    log = root / f"{info.id}.jsonl"
    text = log.read_bytes()
    for cut in range(len(text) + 1):
        log.write_bytes(text[:cut])
        written = {0: [], 1: ["b"], 3: ["a", "b", "c"]}[len(await records(store, info.id))]
        async with store.open(info.id) as db:
            assert await names(db) == [name for name in "abc" if name not in written]


async def test_wherever_a_message_is_torn_it_was_not_put_and_the_next_one_is(store, root):
    info = await with_messages(store, "a", "b")
    inbox = root / f"{info.id}.inbox"
    text = inbox.read_bytes()
    begin = text.rindex(b'{"format"')
    for cut in range(begin, len(text)):
        inbox.write_bytes(text[:cut])
        async with store.open(info.id) as db:
            assert await names(db) == ["a"]
            assert await store.put(info.id, "b", b"{}")
            assert await names(db) == ["a", "b"]
        assert [line["id"] for line in lines(root, info)[1:]] == ["a", "b"]


async def test_an_owner_that_died_before_it_noted_anything_has_settled_what_its_log_says(store, root):
    info = await with_messages(store, "a", "b")
    async with store.open(info.id) as db:
        await db.append([b"{}"], consume=["a"])
    assert notes(root, info) == [([], 0)]
    async with store.open(info.id) as db:
        assert await names(db) == ["b"]
        with pytest.raises(ValueError, match="pending"):
            await db.append([b"{}"], consume=["a"])
        await db.commit()
    assert notes(root, info) == [([], 0), (["a"], 1)]


async def test_a_note_stands_behind_records_that_are_durable(store, root, monkeypatch):
    def refuse(_):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    info = await with_messages(store, "a")
    async with store.open(info.id) as db:
        monkeypatch.setattr("kiro_files.disk._flush", refuse)
        await db.append([b"{}"], consume=["a"])
        with pytest.raises(Unavailable):
            await db.commit()
    assert notes(root, info) == [([], 0)]


async def test_messages_that_were_settled_leave_room_though_nobody_noted_it(store, root):
    some = [str(number) for number in range(INBOX_MESSAGES)]
    info = await with_messages(store, *some)
    async with store.open(info.id) as db:
        await db.append([b"{}"], consume=some[1:])
    assert notes(root, info) == [([], 0)]
    for number in range(INBOX_MESSAGES - 1):
        assert await store.put(info.id, f"more {number}", b"{}")
    with pytest.raises(InboxFull):
        await store.put(info.id, "too many", b"{}")
    async with store.open(info.id) as db:
        assert await names(db) == ["0", *(f"more {number}" for number in range(INBOX_MESSAGES - 1))]


async def test_what_is_settled_does_not_stay_for_ever_and_its_newest_ids_do(store, root, small):
    info = await with_messages(store, "waits")
    inbox = root / f"{info.id}.inbox"
    inbox.write_bytes(inbox.read_bytes() + b"damaged\n")
    for number in range(40):
        async with store.open(info.id) as db:
            await store.put(info.id, str(number), b'{"pad":"%b"}' % (b"x" * 100))
            await db.append([b"{}"], consume=[str(number)])
            await db.commit()
        assert inbox.stat().st_size < 2500
    assert b"damaged\n" in inbox.read_bytes()
    assert await store.put(info.id, "0", b"{}")
    assert not await store.put(info.id, "39", b"{}")
    assert not await store.put(info.id, "35", b"{}")
    async with store.open(info.id) as db:
        assert await names(db) == ["waits", "0"]


async def test_who_has_the_inbox_locked_keeps_its_owner_from_nothing(store, root):
    info = await with_messages(store, "a", "b")
    with (root / f"{info.id}.inbox").open("rb") as other, anyio.fail_after(10):
        fcntl.flock(other, fcntl.LOCK_EX)
        async with store.open(info.id) as db:
            assert await names(db) == ["a", "b"]
            await db.append([b"{}"], consume=["a"])
            await db.commit()
            assert await names(db) == ["b"]
            assert (await store.verify(info.id)).sound
    async with store.open(info.id) as db:
        assert await names(db) == ["b"]


async def test_a_lock_that_is_held_for_ever_is_told(store, root, monkeypatch):
    monkeypatch.setattr("kiro_files.inbox.LIMIT_S", 0.05)
    info = await with_messages(store, "a")
    with (root / f"{info.id}.inbox").open("rb") as other, anyio.fail_after(10):
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="in use"):
            await store.put(info.id, "b", b"{}")
        with pytest.raises(Unavailable, match="in use"):
            await store.delete(info.id)
    with pytest.raises(SessionNotFound):
        await store.delete(info.id)
    assert not list(root.glob("[!.]*"))


@pytest.mark.parametrize("again", [False, True])
async def test_a_session_that_is_deleted_while_somebody_puts_leaves_nothing(store, root, monkeypatch, again):
    info = await with_messages(store, *["old"] * again)
    flock = fcntl.flock

    async def delete():
        await store.delete(info.id)
        if again:
            async with store.create(info):
                pass

    def late(fd, operation):
        monkeypatch.undo()
        anyio.from_thread.run(delete)
        flock(fd, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with anyio.fail_after(10):
        if again:
            assert await store.put(info.id, "new", b"{}")
            async with store.open(info.id) as db:
                assert await names(db) == ["new"]
        else:
            with pytest.raises(SessionNotFound):
                await store.put(info.id, "new", b"{}")
            assert not list(root.glob("[!.]*"))


async def test_what_a_deletion_that_was_killed_has_left_is_in_no_new_sessions_inbox(store, root):
    info = session()
    await stored(store)
    (root / f"{info.id}.inbox").write_bytes(b'{"format":1,"id":"old","at":"","body":{}}\n')
    with pytest.raises(SessionNotFound):
        await store.put(info.id, "new", b"{}")
    assert (root / f"{info.id}.inbox").stat().st_size
    async with store.create(info) as db:
        assert await names(db) == []


async def test_an_inbox_of_a_newer_format_is_refused_and_left_alone(store, root):
    info = await with_messages(store, "a")
    inbox = root / f"{info.id}.inbox"
    async with store.open(info.id) as db:
        text = inbox.read_bytes() + b'{"format":2,"letter":[1,2]}\n'
        inbox.write_bytes(text)
        for attempt in (
            db.pending(),
            db.append([b"{}"], consume=["b"]),
            store.put(info.id, "b", b"{}"),
            store.verify(info.id),
        ):
            with pytest.raises(RecordInvalid, match="newer format"):
                await attempt
    with pytest.raises(RecordInvalid, match="newer format"):
        await store.open(info.id).__aenter__()
    assert inbox.read_bytes() == text
    await store.delete(info.id)
    assert not list(root.glob("[!.]*"))


@pytest.mark.parametrize("part", [0, 5])
async def test_a_message_that_the_disk_refuses_was_not_put_and_may_be_sent_again(store, root, monkeypatch, part):
    info = await with_messages(store, "a")
    write = os.write

    def refuse(fd, data):
        write(fd, data[:part])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "write", refuse)
    with pytest.raises(Unavailable, match="disk is full"):
        await store.put(info.id, "b", b"{}")
    monkeypatch.undo()
    async with store.open(info.id) as db:
        assert await names(db) == ["a"]
        assert await store.put(info.id, "b", b"{}")
        assert await names(db) == ["a", "b"]
    assert (await store.verify(info.id)).sound


async def test_damage_costs_the_message_that_it_covers_and_is_kept_beside(store, root):
    info = await with_messages(store, "a", "b", "c")
    inbox = root / f"{info.id}.inbox"
    text = inbox.read_bytes()
    b = text.splitlines(keepends=True)[2]
    lost = b.replace(b'"body"', b'"bo\0y"')
    inbox.write_bytes(text.replace(b, lost) + b'{"format":1,"torn')
    before = inbox.read_bytes()
    report = await store.verify(info.id)
    assert [finding.kind for finding in report.findings] == ["inbox", "torn"]
    assert not report.sound
    assert inbox.read_bytes() == before
    async with store.open(info.id) as db:
        assert await names(db) == ["a", "c"]
    assert (await store.verify(info.id, repair=True)).repaired
    assert not (await store.verify(info.id)).findings
    about, kept = (root / f"{info.id}.damaged").read_bytes().split(b"\n", 1)
    assert json.loads(about)["of"] == "inbox"
    assert kept == lost + b"\n"
    assert await store.put(info.id, "b", b"{}")
    async with store.open(info.id) as db:
        assert await names(db) == ["a", "c", "b"]


async def test_opening_costs_the_same_however_long_the_log_is_in_which_messages_may_be_settled(store, monkeypatch):
    costs = []
    pread = os.pread

    def counted(fd, size, offset):
        block = pread(fd, size, offset)
        costs[-1] += len(block)
        return block

    async def opened(info):
        costs.append(0)
        async with store.open(info.id) as db:
            assert await names(db) == ["waits"]
            await write(db)

    async def write(db):
        for _ in range(30):
            await db.append([b'{"pad":"%b"}' % (b"x" * 200)] * 500)
        await db.commit()

    info = session()
    async with store.create(info) as db:
        await write(db)
    monkeypatch.setattr(os, "pread", counted)
    costs.append(0)
    await store.put(info.id, "waits", b"{}")
    for _ in range(3):
        await opened(info)
    assert max(costs) < 4 * 262144


async def test_files_that_are_copied_without_the_inbox_are_a_session_with_an_empty_one(store, root, tmp_path):
    info = await with_messages(store, "a")
    async with store.open(info.id) as db:
        await db.append([b"{}"], consume=["a"])
    (tmp_path / "copy").mkdir()
    for kind in ("json", "jsonl"):
        name = f"{info.id}.{kind}"
        (tmp_path / "copy" / name).write_bytes((root / name).read_bytes())
    async with open_store(FilesOptions(root=tmp_path / "copy")) as copy:
        assert await copy.put(info.id, "b", b"{}")
        async with copy.open(info.id) as db:
            assert await names(db) == ["b"]
