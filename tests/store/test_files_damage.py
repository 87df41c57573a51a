"""A damaged log loses what is damaged and nothing else, says so, and can be written on."""

import json
import re
from itertools import accumulate
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from kiro_core.errors import RecordInvalid
from kiro_core.testing.store_samples import records, stored
from kiro_files import FilesOptions, open_store


async def written(store, *batches, owners=1):
    """A session that nobody holds, with these batches of records, written by so many owners in turn."""
    info = await stored(store)
    for owner in range(owners):
        async with store.open(info.id) as db:
            for batch in batches[owner::owners] if owners == 1 else batches[owner : owner + 1]:
                await db.append(batch)
    return info


def numbered(*sizes):
    """Batches of these sizes, of records that say their number."""
    numbers = iter(range(1, sum(sizes) + 1))
    return [[b'{"n":%d,"text":"gr\xc3\xbc\xc3\x9fe"}' % next(numbers) for _ in range(size)] for size in sizes]


def gap(first, last, size):
    return {"at": "", "kind": "gap", "data": {"first": first, "last": last, "bytes": size}}


async def told(store, session):
    """What a reader is told: the number of each record, and the body of each gap."""
    found = [(record, json.loads(record.body)) for record in await records(store, session)]
    return [body if body.get("kind") == "gap" else record.seq for record, body in found]


def lines_of(root, info):
    return (root / f"{info.id}.jsonl").read_bytes().splitlines(keepends=True)


def write(root, info, lines):
    (root / f"{info.id}.jsonl").write_bytes(b"".join(lines))


def kept(root, info):
    """What stands in the file of damaged parts: of each its header, and what was kept."""
    text, found = (root / f"{info.id}.damaged").read_bytes(), []
    while text:
        head, _, text = text.partition(b"\n")
        about = json.loads(head)
        found.append((about, text[: about["kept"]]))
        assert text[about["kept"]] == ord("\n")
        text = text[about["kept"] + 1 :]
    return found


@pytest.mark.parametrize("number", range(1, 7))
async def test_one_damaged_line_costs_one_record_and_is_a_gap(store, root, number):
    info = await written(store, *numbered(1, 3, 2))
    lines = lines_of(root, info)
    damaged = lines[number - 1] = b"\0" + lines[number - 1][1:]
    write(root, info, lines)
    expected = [n if n != number else gap(n, n, len(damaged)) for n in range(1, 7)]
    assert await told(store, info.id) == expected
    async with store.open(info.id) as db:
        assert db.head == 6
        assert [json.loads(record.body).get("n", 0) for record in await db.tail(9)] == [
            n if n != number else 0 for n in range(1, 7)
        ]
        await db.append([b"{}"])
    assert await told(store, info.id) == [*expected, 7]
    assert [text for _, text in kept(root, info)] == [damaged]


async def test_a_gap_stands_in_its_place_and_what_it_covers_beside(store, root):
    info = await written(store, *numbered(1, 1, 1, 1))
    lines = lines_of(root, info)
    size = len(lines[1]) + len(lines[2])
    hole = b"\0" * (size - 1) + b"\n"
    write(root, info, [lines[0], hole, lines[3]])
    async with store.open(info.id):
        pass
    told_there = b'{"format":1,"seq":2,"epoch":2,"until":3,"gap":%d}' % size
    assert b"".join(lines_of(root, info)) == b"".join([lines[0], told_there.ljust(size - 1), b"\n", lines[3]])
    ((about, text),) = kept(root, info)
    assert (about["offset"], about["bytes"], about["kept"], text) == (len(lines[0]), size, size, hole)
    assert (root / f"{info.id}.damaged").stat().st_mode & 0o777 == 0o600
    assert await told(store, info.id) == [1, gap(2, 3, size), 4]
    assert [record.seq for record in await records(store, info.id, 1)] == [2, 4]
    assert [record.seq for record in await records(store, info.id, 2)] == [4]


async def test_a_zero_filled_hole_in_the_middle_costs_what_it_covers(store, root):
    info = await written(store, *numbered(3, 3, 3))
    log = root / f"{info.id}.jsonl"
    text, third = log.read_bytes(), lines_of(root, info)
    start, end = len(b"".join(third[:2])) + 10, len(b"".join(third[:5])) + 10
    log.write_bytes(text[:start] + bytes(end - start) + text[end:])
    assert await told(store, info.id) == [1, 2, gap(3, 6, len(b"".join(third[2:6]))), 7, 8, 9]


@pytest.mark.parametrize(
    "end",
    [b"\0" * 100_000, b"{" * 200_000, b'{"format":1,"seq":3,"ep'],
    # Short ones: the name of a test stands in the environment of what it starts.
    ids=["zeros", "braces", "half a line"],
)
async def test_what_is_cut_from_the_end_is_kept_beside_without_its_zeros(store, root, end):
    info = await written(store, *numbered(2))
    text = b"".join(lines_of(root, info))
    write(root, info, [text, end])
    async with store.open(info.id) as db:
        assert db.head == 2
    assert b"".join(lines_of(root, info)) == text
    ((about, found),) = kept(root, info)
    assert (about["bytes"], found) == (len(end), end.rstrip(b"\0"))


async def test_damaged_lines_at_the_end_are_records_whose_numbers_are_not_given_again(store, root):
    info = await written(store, *numbered(1, 1, 3))
    lines = lines_of(root, info)
    write(root, info, [*lines[:1], b"damaged\n", lines[2], b"\0\0\n", b"torn"])
    expected = [1, gap(2, 2, 8), 3, gap(4, 5, 3)]
    assert await told(store, info.id) == expected
    async with store.open(info.id) as db:
        assert await db.append([b"{}"]) == 6
    assert await told(store, info.id) == [1, gap(2, 2, 0), 3, gap(4, 5, 0), 6]


async def test_damage_too_short_for_a_gap_is_blanked_and_told_by_the_numbers_around_it(store, root):
    info = await written(store, *numbered(1, 1, 1))
    lines = lines_of(root, info)
    write(root, info, [lines[0], b"x\n", lines[2]])
    assert await told(store, info.id) == [1, gap(2, 2, 2), 3]
    async with store.open(info.id) as db:
        await db.append([b"{}"])
    assert lines_of(root, info)[1] == b" \n"
    assert await told(store, info.id) == [1, gap(2, 2, 0), 3, 4]


async def test_a_batch_that_ends_in_blanked_damage_is_not_torn(store, root):
    info = await written(store, *numbered(1, 3))
    lines = lines_of(root, info)
    write(root, info, [*lines[:2], b"x\n"])
    for _ in range(2):
        async with store.open(info.id) as db:
            assert db.head == 4
    assert await told(store, info.id) == [1, 2, gap(3, 4, 0)]
    assert (await store.verify(info.id)).sound


async def test_lines_that_are_nobodys_records_are_moved_aside_and_nothing_is_missing(store, root):
    info = await written(store, *numbered(1, 1))
    lines = lines_of(root, info)
    foreign = b"a line of somebody else\n"
    write(root, info, [lines[0], foreign, b"\n", lines[1]])
    assert await told(store, info.id) == [1, 2]
    async with store.open(info.id) as db:
        await db.append([b"{}"])
    assert await told(store, info.id) == [1, 2, 3]
    assert [text for _, text in kept(root, info)] == [foreign]


async def test_records_that_are_gone_without_a_trace_are_told_by_the_jump(store, root):
    info = await written(store, *numbered(1, 1, 1, 1, 1))
    lines = lines_of(root, info)
    write(root, info, [lines[0], *lines[3:]])
    assert await told(store, info.id) == [1, gap(2, 3, 0), 4, 5]
    write(root, info, lines[2:])
    assert await told(store, info.id) == [gap(1, 2, 0), 3, 4, 5]


@pytest.mark.parametrize("field", [b'"seq":', b'"epoch":', b'"until":', b'"format":'])
@pytest.mark.parametrize("digit", [b"0", b"1", b"9", b"x"])
@pytest.mark.parametrize("number", [1, 5, 11, 12])
async def test_a_damaged_number_costs_no_other_record(store, root, field, digit, number):
    info = await written(store, *numbered(*[1] * 20), owners=20)
    lines = lines_of(root, info)
    at = lines[number - 1].index(field) + len(field)
    lines[number - 1] = lines[number - 1][:at] + digit + lines[number - 1][at + 1 :]
    write(root, info, lines)
    found = await told(store, info.id)
    others = [n for n in range(1, 21) if n != number]
    assert [item for item in found if isinstance(item, int) and item != number] == others
    async with store.open(info.id) as db:
        assert await db.append([b"{}"]) == 21
    assert [item for item in await told(store, info.id) if isinstance(item, int) and item != number] == [*others, 21]


async def test_a_late_writers_lines_are_no_records(store, root):
    info = await written(store, *numbered(1, 2), owners=2)
    lines = lines_of(root, info)
    late = lines[2].replace(b'"seq":3,"epoch":3,"until":3', b'"seq":4,"epoch":2,"until":4')
    assert late != lines[2]
    write(root, info, [*lines, late])
    async with store.open(info.id) as db:
        await db.append([b"{}"])
    assert await told(store, info.id) == [1, 2, 3, gap(4, 4, len(late)), 5]


async def test_a_newer_format_is_believed_at_the_end_only(store, root):
    info = await written(store, *numbered(1, 1, 1))
    lines = lines_of(root, info)
    newer = b'{"format":2,"number":[2,3]}\n'
    write(root, info, [lines[0], newer, lines[2]])
    assert await told(store, info.id) == [1, gap(2, 2, len(newer)), 3]
    for end in ([newer], [newer, newer], [newer, b"damaged\n"]):
        write(root, info, [*lines, *end])
        before = lines_of(root, info)
        for refused in (records(store, info.id), store.open(info.id).__aenter__(), store.verify(info.id, repair=True)):
            with pytest.raises(RecordInvalid, match="newer format"):
                await refused
        assert lines_of(root, info) == before


async def test_opening_looks_at_the_end_of_a_long_log_only(store, root):
    bodies = [b'{"n":%d,"pad":"%b"}' % (n, b"x" * 1000) for n in range(1, 3001)]
    info = await written(store, *([body] for body in bodies))
    lines = lines_of(root, info)
    near, far = 2500, 500
    for number in (near, far):
        lines[number - 1] = b"#" + lines[number - 1][1:]
    lines[2998] = b"#" + lines[2998][1:]
    write(root, info, lines)
    async with store.open(info.id) as db:
        assert db.head == 3000
    found = [about["offset"] for about, _ in kept(root, info)]
    assert found == [len(b"".join(lines[: near - 1])), len(b"".join(lines[:2998]))]
    expected = [gap(n, n, len(lines[n - 1])) if n in (near, far, 2999) else n for n in range(1, 3001)]
    assert await told(store, info.id) == expected


async def test_a_hole_larger_than_what_opening_looks_at_is_no_obstacle(store, root):
    info = await written(store, *numbered(1, 1))
    text = b"".join(lines_of(root, info))
    write(root, info, [text, b"\0" * 3_000_000, b"\n", b"\0" * 3_000_000])
    async with store.open(info.id) as db:
        assert db.head == 3
        await db.append([b"{}"])
    assert await told(store, info.id) == [1, 2, gap(3, 3, 3_000_001), 4]


async def test_reading_behind_a_number_finds_it_in_a_long_log_with_damage(store, root, monkeypatch):
    monkeypatch.setattr("kiro_files.seeking.WINDOW", 500)
    monkeypatch.setattr("kiro_files.seeking._PROBE", 64)
    info = await written(store, *numbered(*[1, 2, 3] * 50))
    lines = lines_of(root, info)
    for number in (3, 50, 51, 52, 120, 299):
        lines[number - 1] = b"#" * (len(lines[number - 1]) - 1) + b"\n"
    lines[199] = lines[199].replace(b'"seq":200,', b'"seq":2,  ')
    write(root, info, lines)
    everything = await records(store, info.id)
    for after in range(302):
        assert await records(store, info.id, after) == [record for record in everything if record.seq > after]


# -- any damage ----------------------------------------------------------------------------------------------

SIZES = st.lists(st.integers(1, 4), min_size=1, max_size=8)
BYTES = st.binary(min_size=1, max_size=40) | st.integers(1, 300).map(bytes) | st.sampled_from([b"\n", b"", b"}", b"9"])
DAMAGE = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 200), BYTES), min_size=1, max_size=4)
# Not what leaves valid JSON, which nobody can tell from what was written.
JUNK = st.sampled_from([b"\0", b"\xff", b"\x1f"])
VISIBLE = st.lists(st.tuples(st.floats(0, 1), st.integers(1, 200), JUNK), min_size=1, max_size=4)


def spoiled(text, damage):
    """Overwrite, remove or put in bytes at some places."""
    for place, length, content in damage:
        at = int(place * len(text))
        text = text[:at] + content + text[at + length :]
    return text


def overwritten(text, damage):
    """Overwrite bytes at some places, so that all others stay where they are; where that was done."""
    touched = set()
    for place, length, byte in damage:
        at = int(place * (len(text) - 1))
        end = min(at + length, len(text))
        text = text[:at] + byte * (end - at) + text[end:]
        touched |= set(range(at, end))
    return text, touched


def untouched(lines, touched):
    """The numbers of the lines that stand as they were, with the line break in front of them."""
    whole, start = [], 0
    for number, line in enumerate(lines, 1):
        if not touched & set(range(start - 1, start + len(line))):
            whole.append(number)
        start += len(line)
    return whole


def numbers_of(item):
    """The numbers for which something that is told stands."""
    return [item] if isinstance(item, int) else range(item["data"]["first"], item["data"]["last"] + 1)


async def goes_on(store, info):
    """Open, write, mend and check a session; the numbers of its records."""
    before = await told(store, info.id)
    async with store.open(info.id) as db:
        await db.append([b'{"later":1}', b'{"later":2}'])
        head = db.head
    await store.verify(info.id, repair=True)
    report = await store.verify(info.id)
    assert report.sound, report
    after = await told(store, info.id)
    found = await records(store, info.id)
    assert [record.seq for record in found] == sorted({record.seq for record in found})
    assert [record.epoch for record in found] == sorted(record.epoch for record in found)
    assert after[-2:] == [head - 1, head]
    numbers = [item for item in after if isinstance(item, int)]
    assert report.records == len(numbers)
    assert [item for item in before if isinstance(item, int)] == numbers[:-2]
    assert [number for item in after for number in numbers_of(item)] == list(range(1, head + 1))
    return numbers[:-2]


def in_a_store(work):
    async def main(root):
        async with open_store(FilesOptions(root=root)) as store:
            await work(store, root)

    with TemporaryDirectory() as root:
        anyio.run(main, Path(root))


@given(sizes=SIZES, damage=DAMAGE, owners=st.booleans())
def test_whatever_happens_to_a_log_it_opens_goes_on_and_can_be_mended(sizes, damage, owners):
    async def work(store, root):
        batches = numbered(*sizes)
        info = await written(store, *batches, owners=len(batches) if owners else 1)
        text = spoiled(b"".join(lines_of(root, info)), damage)
        # A last line that says it is newer is believed: see above.
        assume(not re.search(rb'"format":(?!1,)\d+.*\n[^\n]*$', text))
        write(root, info, [text])
        await goes_on(store, info)

    in_a_store(work)


@given(sizes=SIZES, damage=VISIBLE, owners=st.booleans())
def test_every_line_that_is_not_touched_is_still_read(sizes, damage, owners):
    async def work(store, root):
        batches = numbered(*sizes)
        info = await written(store, *batches, owners=len(batches) if owners else 1)
        lines = lines_of(root, info)
        text, touched = overwritten(b"".join(lines), damage)
        write(root, info, [text])
        whole = untouched(lines, touched)
        if not text.endswith(b"\n") and whole:
            # What a batch without its end has lost cannot be told from what was never written: it goes as a whole.
            end = next(end for end in accumulate(sizes) if end >= whole[-1])
            begin = max([0, *(before for before in accumulate(sizes) if before < end)])
            whole = [number for number in whole if end in whole or number <= begin]
        assert [number for number in await goes_on(store, info) if number in whole] == whole

    in_a_store(work)
