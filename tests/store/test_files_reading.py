"""Reading costs what is read, not what is stored: bytes, files and memory are counted here, without a clock."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.testing.store_samples import records, session, stored
from kiro_core.types import SessionQuery
from kiro_files import reading
from kiro_files.lines import encode, encode_gap
from kiro_files.places import Place
from kiro_files.scanning import Scan
from kiro_files.usual import usual_part

LONG = 60_000
BODY = b'{"at":"2026-01-31T08:00:00.123Z","kind":"update","data":{"text":"%b"}}' % (b"x" * 150)


@pytest.fixture
def counted(monkeypatch):
    """What was opened, and how many bytes were read of it, since the last `clear`."""
    calls = []
    for name in ("open", "read", "pread", "readv", "preadv"):
        monkeypatch.setattr(os, name, counting(getattr(os, name), calls))
    return calls


def counting(call, calls):
    def counted(*given, **named):
        result = call(*given, **named)
        calls.append(len(result) if isinstance(result, bytes) else str(given[0]))
        return result

    return counted


def bytes_of(calls):
    return sum(call for call in calls if isinstance(call, int))


@pytest.fixture
async def long(store):
    info = await stored(store)
    async with store.open(info.id) as db:
        for _ in range(LONG // 100):
            await db.append([BODY] * 100)
    return info


# -- a log ---------------------------------------------------------------------------------------------------


async def test_opening_a_long_log_and_its_tail_read_its_end_only(store, long, counted):
    async with store.open(long.id) as db:
        assert bytes_of(counted) < 100_000
        counted.clear()
        assert [record.seq for record in await db.tail(100)] == [*range(LONG - 99, LONG + 1)]
        assert bytes_of(counted) < 100 * len(BODY) * 2 + 100_000


async def test_reading_behind_a_number_finds_it_without_reading_what_is_before(store, long, counted):
    assert len(await records(store, long.id, LONG - 100)) == 100
    assert bytes_of(counted) < 250_000


async def test_a_replay_reads_no_further_ahead_than_one_part(store, long, counted):
    given_out = 0
    async for record in store.read(long.id):
        given_out += len(record.body)
        assert bytes_of(counted) < given_out * 1.6 + reading.PART_BYTES
    assert given_out == LONG * len(BODY)


async def test_a_usual_log_is_read_in_one_go_and_only_once(store, long, counted, monkeypatch):
    monkeypatch.setattr("kiro_files.reading.scan_part", lambda *_: None)
    assert len(await records(store, long.id)) == LONG
    assert bytes_of(counted) < (reading.PART_BYTES / (reading.PART_BYTES - 100_000)) * LONG * (len(BODY) + 100)


# -- a listing -----------------------------------------------------------------------------------------------


async def test_a_page_opens_each_file_of_metadata_once_and_reads_it_with_one_call(store, root, counted):
    for _ in range(30):
        await stored(store)
    size = sum(path.stat().st_size for path in root.glob("*.json"))
    counted.clear()
    page = await store.list(SessionQuery(), limit=5)
    assert len(page.items) == 5
    opened = [Path(call).name for call in counted if isinstance(call, str)]
    assert sorted(opened) == sorted([root.name, *(path.name for path in root.glob("*.json"))])
    assert len(counted) == len(opened) + 30
    assert bytes_of(counted) == size


async def test_metadata_of_any_size_are_listed(store):
    info = replace(session(), title="t" * 5000, name="n" * 70_000)
    async with store.create(info):
        pass
    assert list((await store.list(SessionQuery())).items) == [info]


async def test_what_is_no_session_is_neither_listed_nor_damaged(store, root):
    info = await stored(store)
    text = (root / f"{info.id}.json").read_bytes()
    for name, content in (("notes", text), ("broken", b"{"), ("x" * 36, text), ("y" * 36, b"{")):
        (root / f"{name}.json").write_bytes(content.replace(info.id.encode(), name.encode()))
    (root / "log.jsonl").write_bytes(b"{}\n")
    page = await store.list(SessionQuery())
    assert (list(page.items), list(page.damaged)) == ([info], [])


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 20])
async def test_pages_of_any_size_are_the_whole_list_in_order(store, limit):
    known = [await stored(store, updated=f"2026-01-{number * 5 % 8 + 1:02}T08:00:00Z") for number in range(8)]
    expected = sorted(known, key=lambda info: (info.updated, info.id), reverse=True)
    found, cursor = [], None
    while cursor is not None or not found:
        page = await store.list(SessionQuery(), cursor, limit)
        found += page.items
        cursor = page.cursor
    assert found == expected


# -- many lines at once and one at a time --------------------------------------------------------------------

BODIES = st.sampled_from([b"{}", b'{"a":{"b":[1]}}', b'{"t":"gr\xc3\xbc"}', b'{"t":"}\\n{"}', b'{ "a" : 1 }'])
BATCHES = st.lists(st.lists(BODIES, min_size=1, max_size=4), min_size=1, max_size=6)
JUNK = [b"\n", b" ", b"\r", b"", b"}", b"{", b",", b"9", b"\0", b"\xff", b"}\n{", b"{}\n", b"\n\n", b'"', b"5}\n"]
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 30), st.sampled_from(JUNK)), max_size=3)


def log_of(batches, epochs):
    """A log of these batches, with its epoch growing where `epochs` says so, and one gap where it says 3."""
    head, epoch, text = 0, 1, b""
    for batch, how in zip(batches, epochs, strict=True):
        epoch += how == 2
        if how == 3:
            text += encode_gap(head + 1, head + 2, epoch, 120)
            head += 2
        text += encode(batch, head, epoch, ["m"] if how == 4 else ())
        head += len(batch)
    return text


@given(st.data(), BATCHES, DAMAGE, st.integers(0, 3), st.booleans())
def test_what_is_read_in_one_go_is_what_is_read_line_by_line(data, batches, damage, known, whole):
    count = len(batches)
    text = log_of(batches, data.draw(st.lists(st.integers(0, 4), min_size=count, max_size=count)))
    for where, size, junk in damage:
        at = int(where * len(text))
        text = text[:at] + junk + text[at + size :]
    text = text if whole else text[: data.draw(st.integers(0, len(text)))]
    place = Place(0, *[(1, 0), (0, 0), (1, 1), (2, 1)][known])
    part = usual_part(text, place)
    if part is not None:
        scan = Scan(place)
        scan.feed(text, 0)
        scan.finish()
        assert part.records
        assert [item.record for item in scan.found][: len(part.records)] == list(part.records)
        behind = Scan(place)
        behind.feed(text[: part.place.offset], 0)
        behind.finish()
        assert behind.place == part.place


@given(BATCHES)
def test_a_log_as_it_was_written_is_read_in_one_go(batches):
    text = log_of(batches, [0] * len(batches))
    part = usual_part(text, Place(0, 1, 1))
    assert [record.body for record in part.records] == [body for batch in batches for body in batch]
    assert part.place == Place(len(text), len(part.records) + 1, 1)
