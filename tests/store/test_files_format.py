"""What stands on disk: lines that any tool can read, torn batches cut as a whole, nothing unknown lost."""

import json
from tempfile import TemporaryDirectory

import anyio
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kiro_core.errors import RecordInvalid
from kiro_core.testing.store_samples import records, session, stored
from kiro_files import FilesOptions, open_store


async def written(store, *batches):
    """A session that nobody holds, with these batches of records."""
    info = session()
    async with store.create(info) as db:
        for batch in batches:
            await db.append(batch)
    return info


async def test_a_line_is_a_record_in_its_envelope(store, root):
    info = await written(store, [b'{"a": 1}', b"{}"], [b"{}"])
    assert (root / f"{info.id}.jsonl").read_bytes() == (
        b'{"format":1,"seq":1,"epoch":1,"until":2,"body":{"a": 1}}\n'
        b'{"format":1,"seq":2,"epoch":1,"until":2,"body":{}}\n'
        b'{"format":1,"seq":3,"epoch":1,"until":3,"body":{}}\n'
    )


async def test_metadata_is_one_object_with_the_epoch(store, root):
    info = await stored(store, title="a title")
    fields = json.loads((root / f"{info.id}.json").read_bytes())
    assert fields == {**json.loads(msgspec.json.encode(info)), "epoch": 1}


async def test_unknown_fields_of_metadata_survive_every_replacement(store, root):
    info = await stored(store)
    file = root / f"{info.id}.json"
    extra = b'"later":{"big":1180591620717411303424,"exact":1.50}'
    file.write_bytes(file.read_bytes().replace(b"{", b"{" + extra + b",", 1))
    async with store.open(info.id) as db:
        await db.put_info(session(id=info.id, title="new"))
    assert extra in file.read_bytes()
    assert (await store.get(info.id)).title == "new"


async def test_metadata_of_an_older_version_still_read(store, root):
    info = await stored(store, title="a title")
    file = root / f"{info.id}.json"
    older = {key: json.loads(file.read_bytes())[key] for key in ("id", "cwd", "created", "updated", "title", "epoch")}
    file.write_text(json.dumps(older))
    assert await store.get(info.id) == info
    assert (info.roots, info.tags, info.name, info.titled) == ((), (), "", False)


async def test_metadata_of_a_newer_format_is_refused_with_a_sentence(store, root):
    info = await stored(store)
    text = json.dumps({"format": 2, "id": {"new": "shape"}}).encode()
    (root / f"{info.id}.json").write_bytes(text)
    with pytest.raises(RecordInvalid, match="format 2") as refused:
        await store.open(info.id).__aenter__()
    with pytest.raises(RecordInvalid, match="format 2"):
        await store.get(info.id)
    assert "Update" in refused.value.hint
    assert (root / f"{info.id}.json").read_bytes() == text


async def test_a_log_of_a_newer_format_is_refused_and_left_alone(store, root):
    info = await written(store, [b"{}"])
    log = root / f"{info.id}.jsonl"
    text = log.read_bytes() + b'{"format":2,"number":[2,3]}\n{"torn'
    log.write_bytes(text)
    with pytest.raises(RecordInvalid, match="newer format"):
        await store.open(info.id).__aenter__()
    with pytest.raises(RecordInvalid, match="newer format"):
        await records(store, info.id)
    assert log.read_bytes() == text


async def test_a_torn_batch_is_cut_as_a_whole_wherever_it_was_torn(store, root):
    before, torn, after = [b'{"n":1}', b'{"n":2}'], [b'{"n":3}', b'{"text":"\\n\xc3\xbc"}', b'{"n":5}'], [b'{"n":6}']
    info = await written(store, before, torn)
    log = root / f"{info.id}.jsonl"
    text = log.read_bytes()
    boundary = text.index(b'{"format":1,"seq":3')
    for cut in range(boundary, len(text)):
        log.write_bytes(text[:cut])
        assert [record.body for record in await records(store, info.id)] == before
        async with store.open(info.id) as db:
            assert db.head == 2
            assert log.stat().st_size == boundary
            assert [record.body for record in await db.tail(9)] == before
            assert await db.append(after) == 3
        assert [record.body for record in await records(store, info.id)] == before + after


@pytest.mark.parametrize(
    "tail", [b"\0" * 100_000, b"{" * 200_000, b'{"format":1,"seq":3,"epoch":1,"until":4,"body":{}}\n']
)
async def test_whatever_a_crash_left_behind_the_last_batch_is_cut(store, root, tail):
    info = await written(store, [b"{}"] * 2)
    log = root / f"{info.id}.jsonl"
    text = log.read_bytes()
    log.write_bytes(text + tail)
    assert len(await records(store, info.id)) == 2
    async with store.open(info.id) as db:
        assert db.head == 2
        assert log.read_bytes() == text


async def test_a_log_with_nothing_but_a_torn_batch_becomes_empty(store, root):
    info = await written(store, [b"{}"] * 3)
    log = root / f"{info.id}.jsonl"
    log.write_bytes(log.read_bytes()[:-1])
    async with store.open(info.id) as db:
        assert db.head == log.stat().st_size == 0


async def test_a_batch_larger_than_what_is_read_at_once_comes_back(store):
    bodies = [b'{"n":%d,"pad":"%b"}' % (n, b"x" * 100_000) for n in range(10)]
    info = await written(store, [b"{}"], bodies, [b"{}"])
    assert [record.body for record in await records(store, info.id)] == [b"{}", *bodies, b"{}"]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False, allow_infinity=False),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(st.text(), values, max_size=3),
    max_leaves=8,
)
BODY = st.builds(
    lambda fields, escaped: json.dumps(fields, ensure_ascii=escaped).encode("utf-8", "replace"),
    st.dictionaries(st.text(), JSON, max_size=4),
    st.booleans(),
)


@given(owners=st.lists(st.lists(st.lists(BODY, max_size=4), max_size=4), min_size=1, max_size=3))
def test_whatever_is_appended_by_any_number_of_owners_comes_back(owners):
    async def main(root):
        async with open_store(FilesOptions(root=root)) as store:
            info = await stored(store)
            bodies = []
            for batches in owners:
                async with store.open(info.id) as db:
                    assert db.head == len(bodies)
                    for batch in batches:
                        bodies += batch
                        assert await db.append(batch) == len(bodies)
                    tail = await db.tail(3)
            found = await records(store, info.id)
            assert [record.body for record in found] == bodies
            assert [record.seq for record in found] == list(range(1, len(bodies) + 1))
            assert tail == found[-3:]

    with TemporaryDirectory() as root:
        anyio.run(main, root)
