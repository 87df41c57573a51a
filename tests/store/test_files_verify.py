"""Verifying a session in files changes nothing; repairing it throws nothing away."""

import json
import os
from pathlib import Path

import pytest

from kiro_core.errors import Held, RecordInvalid, SessionNotFound
from kiro_core.testing.store_samples import records, session, stored
from kiro_core.types import SessionQuery


async def written(store, count=3, **fields):
    info = session(**fields)
    async with store.create(info) as db:
        for number in range(count):
            await db.append([b'{"n":%d,"text":"................................"}' % number])
    return info


def everything(root):
    return {file.name: file.read_bytes() for file in root.iterdir()}


def spoil(path, line):
    lines = path.read_bytes().splitlines(keepends=True)
    lines[line] = b"\0" * (len(lines[line]) - 1) + b"\n"
    path.write_bytes(b"".join(lines))


async def kinds(store, session):
    return [finding.kind for finding in (await store.verify(session)).findings]


async def test_what_is_wrong_is_found_without_being_touched_and_mended_on_demand(store, root):
    info = await written(store, 5)
    log = root / f"{info.id}.jsonl"
    spoil(log, 1)
    log.write_bytes(log.read_bytes() + b'{"torn')
    (root / f"{info.id}.lock").write_bytes(b"4711\n")
    before = everything(root)
    report = await store.verify(info.id)
    assert [finding.kind for finding in report.findings] == ["damaged", "torn", "owner"]
    assert (report.records, report.head, report.sound, report.repaired) == (4, 5, False, False)
    assert (report.findings[0].first, report.findings[0].last) == (2, 2)
    assert everything(root) == before
    mended = await store.verify(info.id, repair=True)
    assert mended.findings == report.findings
    assert mended.repaired
    assert mended.sound
    (gap,) = (await store.verify(info.id)).findings
    assert (gap.kind, gap.first, gap.last) == ("gap", 2, 2)
    assert f"{info.id}.damaged" in gap.sentence
    assert not (await store.verify(info.id, repair=True)).repaired


async def test_damage_far_from_the_end_is_found(store, root):
    info = await written(store, 50)
    log = root / f"{info.id}.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"until":7,', b'"until":"7'))
    assert await kinds(store, info.id) == ["damaged"]
    assert (await store.verify(info.id, repair=True)).repaired
    assert await kinds(store, info.id) == ["gap"]
    assert [record.seq for record in await records(store, info.id)] == list(range(1, 51))


async def test_a_live_owner_is_no_damage_and_is_not_mended_under(store, root):
    info = await written(store)
    log = root / f"{info.id}.jsonl"
    async with store.open(info.id) as db:
        with log.open("ab") as file:
            file.write(b'{"format":1,"seq":4,"epo')  # what a reader sees in the midst of a write
        assert await kinds(store, info.id) == []
        spoil(log, 0)
        assert await kinds(store, info.id) == ["damaged"]
        with pytest.raises(Held):
            await store.verify(info.id, repair=True)
        assert db.head == 3
    assert await kinds(store, info.id) == ["damaged", "torn"]


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe", b"[]", b"{}", b"\0" * 500])
async def test_metadata_of_which_nothing_is_left_are_made_anew(store, root, text):
    info = await written(store, title="lost")
    (root / f"{info.id}.json").write_bytes(text)
    os.utime(root / f"{info.id}.jsonl", (1_700_000_000, 1_700_000_000))
    assert await kinds(store, info.id) == ["metadata"]
    assert (await store.list(SessionQuery())).damaged == [info.id]
    assert (await store.verify(info.id, repair=True)).repaired
    assert (root / f"{info.id}.json.damaged").read_bytes() == text
    made = await store.get(info.id)
    assert (made.cwd, made.title, made.updated) == ("/", "", "2023-11-14T22:13:20.000Z")
    assert len(await records(store, info.id)) == 3
    async with store.open(info.id) as db:
        assert db.epoch > 1
    assert not (await store.list(SessionQuery())).damaged


async def test_what_can_still_be_read_of_damaged_metadata_is_kept(store, root):
    info = await written(
        store, title='A "title"', cwd="/srv/größe", tags=("a", "b"), agent_session="theirs", titled=True
    )
    file = root / f"{info.id}.json"
    text = file.read_bytes()
    at = text.index(b'"engine"')
    file.write_bytes(text[:at] + b"\0" * 9 + text[at + 9 :])
    await store.verify(info.id, repair=True)
    made = await store.get(info.id)
    assert made == info


async def test_lost_metadata_are_made_anew_for_the_records_that_are_left(store, root):
    info = await written(store)
    (root / f"{info.id}.json").unlink()
    assert (await store.list(SessionQuery())).damaged == [info.id]
    (finding,) = (await store.verify(info.id)).findings
    assert finding.kind == "metadata"
    assert (await store.verify(info.id, repair=True)).repaired
    assert len(await records(store, info.id)) == 3
    assert [found.id for found in (await store.list(SessionQuery())).items] == [info.id]


async def test_metadata_of_another_session_are_damage(store, root):
    info, other = await written(store), await written(store, title="other")
    (root / f"{info.id}.json").write_bytes((root / f"{other.id}.json").read_bytes())
    assert await kinds(store, info.id) == ["metadata"]
    await store.verify(info.id, repair=True)
    assert (await store.get(info.id)).id == info.id


async def test_metadata_that_are_older_than_the_log_are_found(store, root):
    info = await written(store)
    file = root / f"{info.id}.json"
    old = file.read_bytes()
    async with store.open(info.id) as db:
        await db.append([b"{}"])
    file.write_bytes(old)
    assert await kinds(store, info.id) == ["metadata"]
    await store.verify(info.id, repair=True)
    async with store.open(info.id) as later:
        assert later.epoch > db.epoch


async def test_a_newer_format_is_not_judged(store, root):
    info = await written(store)
    file = root / f"{info.id}.json"
    file.write_bytes(json.dumps({"format": 2, "id": {"new": "shape"}}).encode())
    before = everything(root)
    for repair in (False, True):
        with pytest.raises(RecordInvalid, match="format 2"):
            await store.verify(info.id, repair=repair)
    assert everything(root) == before


async def test_what_is_not_there_is_not_made_by_looking(store, root):
    with pytest.raises(SessionNotFound):
        await store.verify(session().id, repair=True)
    assert not root.exists()
    info = await stored(store)
    (root / f"{info.id}.json").unlink()
    with pytest.raises(SessionNotFound):
        await store.verify(info.id, repair=True)


async def test_a_mending_that_a_crash_ended_is_done_again(store, root, monkeypatch):
    class Crash(BaseException):
        pass

    def crash(*_):
        raise Crash

    info = await written(store, 5)
    log = root / f"{info.id}.jsonl"
    spoil(log, 1)
    spoil(log, 3)
    pwrite, calls = os.pwrite, []

    def half(fd, text, offset):
        calls.append(offset)
        if len(calls) == 2:
            pwrite(fd, text[: len(text) // 2], offset)
            raise Crash
        return pwrite(fd, text, offset)

    monkeypatch.setattr(os, "pwrite", half)
    with pytest.raises(Crash):
        await store.verify(info.id, repair=True)
    monkeypatch.undo()
    assert await kinds(store, info.id) == ["gap", "damaged"]
    assert (await store.verify(info.id, repair=True)).repaired
    assert [record.seq for record in await records(store, info.id)] == [1, 2, 3, 4, 5]


async def test_damage_is_kept_for_good_before_the_log_is_changed(store, root, monkeypatch):
    info = await written(store, 3)
    log = root / f"{info.id}.jsonl"
    spoil(log, 1)
    log.write_bytes(log.read_bytes() + b"torn")
    done = []
    fsync, pwrite, ftruncate = os.fsync, os.pwrite, os.ftruncate
    monkeypatch.setattr(os, "fsync", lambda fd: done.append(Path(f"/proc/self/fd/{fd}").readlink().suffix) or fsync(fd))
    monkeypatch.setattr(os, "pwrite", lambda *a: done.append("covered") or pwrite(*a))
    monkeypatch.setattr(os, "ftruncate", lambda *a: done.append("cut") or ftruncate(*a))
    await store.verify(info.id, repair=True)
    assert done[:5] == [".damaged", "", "covered", ".jsonl", "cut"]
