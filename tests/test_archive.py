"""An archive brings back the session that it was made of, or is refused and leaves nothing behind."""

import hashlib
import io
import json
import sys
import tarfile
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial

import anyio
import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from kiro_core import Provider, hookimpl
from kiro_core.archive import read_archive, write_archive
from kiro_core.dispatcher import open_desk
from kiro_core.errors import ArchiveInvalid, Held, NameTaken, RecordInvalid, SessionNotFound, Unavailable
from kiro_core.registry import Registry
from kiro_core.settings import load_settings
from kiro_core.testing.store_samples import BODIES, session
from kiro_core.types import PruneRule, Record, SessionQuery
from kiro_files import FilesOptions, open_store

WHEN = "2025-03-04T05:06:07Z"
INFO = session(title="Grüße", cwd="/srv/here", roots=("/srv/more",), tags=("a", "b"), agent_session="theirs")


@pytest.fixture
async def desk(tmp_path):
    """A desk without sessions, on a folder of the test's own."""
    settings = load_settings({"store": {"use": "files", "root": str(tmp_path / "sessions")}})
    async with open_desk(settings, Registry()) as desk:
        yield desk


@pytest.fixture
async def other(tmp_path):
    """Another store, where the archives come from."""
    async with open_store(FilesOptions(root=tmp_path / "other")) as store:
        yield store


async def in_chunks(content, size=65536):
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def content_of(chunks):
    return b"".join([chunk async for chunk in chunks])


async def archived(info, bodies):
    """The archive of a session that no store has, with an epoch and numbers of its own."""

    async def read():
        for number, body in enumerate(bodies, 1):
            yield Record(number * 3, 7, body)

    return await content_of(write_archive(info, read, WHEN))


async def unpacked(content, size=65536):
    """What an archive holds, verified."""
    bodies = []

    async def keep(body):
        bodies.append(body)

    return await read_archive(in_chunks(content, size), keep), bodies


def packed(info=INFO, lines=None, *, manifest=None, order=None, **members):
    """An archive made by `tar`'s own rules, right but for what a test says."""
    lines = b'{"seq":1,"epoch":1,"body":{}}\n{"seq":2,"epoch":1,"body":{}}\n' if lines is None else lines
    about = info if isinstance(info, bytes) else msgspec.json.encode(info)
    files = {"info.json": about, "records.jsonl": lines}
    says = {
        "format": 1,
        "session": INFO.id,
        "exported": WHEN,
        "records": lines.count(b"\n"),
        "head": 2,
        "files": {name: {"bytes": len(f), "sha256": hashlib.sha256(f).hexdigest()} for name, f in files.items()},
        **(manifest or {}),
    }
    files = {"manifest.json": json.dumps(says).encode(), **files, **members}
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in order or files:
            member = tarfile.TarInfo(name)
            member.size = len(files[name])
            tar.addfile(member, io.BytesIO(files[name]))
    return archive.getvalue()


async def test_a_session_comes_back_in_another_store_as_it_was(desk, other):
    bodies = [*BODIES, b'{"pad":"%b"}' % (b"x" * 200_000)]
    async with other.create(INFO) as db:
        await db.append(bodies[:3])
    async with other.open(INFO.id) as db:
        await db.append(bodies[3:])
    content = await content_of(write_archive(INFO, partial(other.read, INFO.id), WHEN))
    imported = await desk.import_session(in_chunks(content, 777))
    assert replace(imported, imported="") == INFO
    assert await desk.info(INFO.id) == imported
    assert [record.body async for record in desk.read(INFO.id)] == bodies
    again = await content_of(desk.export_session(INFO.id))
    assert (await unpacked(again))[1] == bodies


async def test_an_archive_is_a_tar_file_with_a_manifest_in_front():
    content = await archived(INFO, [b'{"n":1}', b'{"n":2}'])
    with tarfile.open(fileobj=io.BytesIO(content)) as tar:
        assert tar.getnames() == ["manifest.json", "info.json", "records.jsonl"]
        assert {member.mode for member in tar} == {0o600}
        files = {name: tar.extractfile(name).read() for name in tar.getnames()}
    manifest = json.loads(files["manifest.json"])
    assert (manifest["format"], manifest["session"], manifest["exported"]) == (1, INFO.id, WHEN)
    assert (manifest["records"], manifest["head"]) == (2, 6)
    for name in ("info.json", "records.jsonl"):
        sha256 = hashlib.sha256(files[name]).hexdigest()
        assert manifest["files"][name] == {"bytes": len(files[name]), "sha256": sha256}
    assert json.loads(files["info.json"])["title"] == "Grüße"
    assert files["records.jsonl"].splitlines()[1] == b'{"seq":6,"epoch":7,"body":{"n":2}}'


async def test_an_archive_that_tar_has_packed_again_is_taken():
    info, bodies = await unpacked(packed())
    assert (info, bodies) == (INFO, [b"{}", b"{}"])


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
BODY = st.dictionaries(TEXT, st.integers() | TEXT | st.lists(st.booleans(), max_size=3), max_size=3)


@given(bodies=st.lists(BODY.map(json.dumps).map(str.encode), max_size=9), title=TEXT, size=st.integers(1, 3000))
@example(bodies=[], title="", size=1)
def test_whatever_is_exported_comes_back_in_chunks_of_any_size(bodies, title, size):
    async def main():
        info = session(title=title)
        assert await unpacked(await archived(info, bodies), size) == (info, bodies)

    anyio.run(main)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_a_changed_byte_is_refused_or_means_nothing():
    content = await archived(INFO, [b'{"n":1}', b'{"text":"two"}'])
    original = await unpacked(content)
    taken = 0
    for at in range(len(content)):
        for flip in (0x01, 0x20, 0x80, 0xFF):
            try:
                found = await unpacked(content[:at] + bytes([content[at] ^ flip]) + content[at + 1 :])
            except ArchiveInvalid:
                continue
            taken += 1
            assert found == original, f"byte {at} ^ {flip:#x} changed the session"
    assert 0 < taken < len(content) * 2, "padding means nothing, all else does"


@given(data=st.data())
def test_any_damage_is_refused_or_means_nothing(data):
    async def main():
        content = await archived(INFO, [b'{"n":%d}' % n for n in range(5)])
        at = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.binary(max_size=40))
        gone = data.draw(st.integers(0, 600))
        original = await unpacked(content)
        with suppress(ArchiveInvalid):
            assert await unpacked(content[:at] + piece + content[at + gone :]) == original

    anyio.run(main)


@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_an_archive_that_was_cut_short_is_refused_wherever_it_was_cut():
    content = await archived(INFO, [b'{"n":1}'])
    for size in range(len(content)):
        with pytest.raises(ArchiveInvalid):
            await unpacked(content[:size])


LINE = b'{"seq":%d,"epoch":1,"body":%b}\n'
MISLEADING = {
    "nothing": (b"", "ends too early, in manifest.json"),
    "not an archive": (b"PK\3\4" + b"x" * 5000, "no valid header for manifest.json"),
    "zeros": (bytes(10240), "no valid header for manifest.json"),
    "a newer format": (packed(manifest={"format": 2, "new": 1}), "has format 2, this version reads format 1"),
    "no format": (packed(**{"manifest.json": b"{}"}), "manifest.json is damaged"),
    "a manifest of another shape": (packed(manifest={"more": 1}), "manifest.json is damaged"),
    "another file listed": (packed(manifest={"files": {}}), "does not list info.json and records.jsonl"),
    "a large manifest": (packed(**{"manifest.json": b" " * 2**21}), "manifest.json has 2097152 bytes"),
    "a path upwards": (packed(order=["../x", "info.json"], **{"../x": b"{}"}), "'../x' where the file manifest.json"),
    "another order": (packed(order=["manifest.json", "records.jsonl", "info.json"]), "'records.jsonl' where the file"),
    "one file more": (packed(more=b"x"), "does not end where it says"),
    "something behind": (packed() + b"x", "does not end where it says"),
    "zeros without end": (packed() + bytes(10240), "does not end where it says"),
    "another session": (packed(manifest={"session": session().id}), "info.json is not that of the session"),
    "no session's id": (packed(session(id="../x"), manifest={"session": "../x"}), "not that of the session '../x'"),
    "metadata of another shape": (packed(b'{"id":7}'), "info.json is damaged"),
    "metadata of a newer format": (packed(session(id=INFO.id, format=2)), "session in the archive has format 2"),
    "other metadata": (packed(**{"info.json": b"{}"}), "info.json is not what its manifest.json says"),
    "other records": (packed(**{"records.jsonl": b"{}\n"}), "records.jsonl is not what its manifest.json says"),
    "more records": (packed(manifest={"records": 3}), "records.jsonl is not what its manifest.json says"),
    "another head": (packed(manifest={"head": 3}), "records.jsonl is not what its manifest.json says"),
    "a record out of order": (packed(lines=LINE % (2, b"{}") + LINE % (2, b"{}")), "Record 2 of the archive is out of"),
    "a record without end": (packed(lines=(LINE % (1, b"{}"))[:-1]), "a line that is too long"),
    "a record that is no object": (packed(lines=LINE % (1, b"[]")), "Record 1 of the archive is damaged: its body"),
    "a record that is not JSON": (packed(lines=LINE % (1, b'{"n":NaN}')), "Record 1 of the archive is damaged: JSON"),
    "a record that is not UTF-8": (packed(lines=LINE % (1, b'{"n":"\xff"}')), "Record 1 of the archive is damaged"),
    "a record nested too deeply": (
        packed(lines=LINE % (1, b'{"n":%b}' % (b"[" * 9000 + b"]" * 9000))),
        "Record 1 of the archive is damaged",
    ),
}


@pytest.mark.parametrize(("content", "reason"), MISLEADING.values(), ids=MISLEADING)
async def test_what_does_not_verify_is_named_and_leaves_nothing_behind(desk, tmp_path, content, reason):
    with anyio.fail_after(20), pytest.raises(ArchiveInvalid) as refused:
        await desk.import_session(in_chunks(content))
    assert reason in str(refused.value)
    assert not (tmp_path / "sessions").exists(), "the store was not even opened for writing"


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.XHDTYPE])
async def test_only_plain_files_are_in_an_archive(kind):
    member = tarfile.TarInfo("manifest.json")
    member.type, member.linkname = kind, "/etc/passwd"
    with pytest.raises(ArchiveInvalid, match=r"where the file manifest\.json belongs"):
        await unpacked(member.tobuf(tarfile.GNU_FORMAT) + bytes(1024))


async def test_a_record_that_never_ends_is_refused_before_it_fills_the_memory(monkeypatch):
    monkeypatch.setattr("kiro_core.archive.reading.LONGEST_LINE", 1000)
    taken = 0

    async def endless():
        nonlocal taken
        yield packed(lines=LINE % (1, b'{"pad":"%b"}' % (b"x" * 10**6)))[:3072]
        while True:
            taken += 100
            yield b"x" * 100

    with anyio.fail_after(10), pytest.raises(ArchiveInvalid, match="too long"):
        await read_archive(endless(), anyio.sleep)
    assert taken <= 1100


async def test_an_id_that_exists_is_refused_and_a_copy_gets_another(desk):
    info = session(title="T", name="nightly", agent_session="theirs")
    content = await archived(info, [b'{"n":1}'])
    await desk.import_session(in_chunks(content))
    with pytest.raises(Held, match="exists already") as refused:
        await desk.import_session(in_chunks(content))
    assert "--new-id" in refused.value.hint
    copy = await desk.import_session(in_chunks(content), new_id=True)
    assert copy.id != info.id
    assert (copy.title, copy.name, copy.agent_session) == ("T", "", "")
    assert [record.body async for record in desk.read(copy.id)] == [b'{"n":1}']
    assert len((await desk.sessions(SessionQuery())).items) == 2


async def test_what_is_imported_is_not_in_the_trash(desk, other):
    info = session(title="T", trashed="2025-01-01T00:00:00Z")
    async with other.create(info) as db:
        await db.append([b'{"n":1}'])
    content = await content_of(write_archive(info, partial(other.read, info.id), WHEN))
    assert (await desk.import_session(in_chunks(content))).trashed == ""
    assert (await desk.import_session(in_chunks(content), new_id=True)).trashed == ""
    assert len((await desk.sessions(SessionQuery())).items) == 2


async def test_an_id_that_exists_in_the_trash_is_refused_and_told_so(desk):
    content = await archived(session(updated="2025-01-01T00:00:00Z"), [])
    info = await desk.import_session(in_chunks(content))
    await desk.prune(PruneRule(older_than=timedelta(days=1)))
    with pytest.raises(Held, match="exists already, in the trash"):
        await desk.import_session(in_chunks(content))
    assert await desk.restore(info.id)


async def test_a_name_that_another_session_of_the_folder_has_is_refused(desk):
    first, second = session(name="nightly"), session(name="nightly")
    await desk.import_session(in_chunks(await archived(first, [])))
    with pytest.raises(NameTaken, match=first.id):
        await desk.import_session(in_chunks(await archived(second, [])))
    await desk.import_session(in_chunks(await archived(session(name="nightly", cwd="/elsewhere"), [])))


async def test_an_unknown_session_cannot_be_exported(desk):
    with pytest.raises(SessionNotFound):
        await content_of(desk.export_session(session().id))


async def test_a_session_that_somebody_holds_is_exported_as_it_stands(desk, tmp_path):
    async with open_store(FilesOptions(root=tmp_path / "sessions")) as store, store.create(INFO) as db:
        await db.append([b'{"n":1}'])
        chunks = desk.export_session(INFO.id)
        first = await anext(chunks)
        await db.append([b'{"n":2}'])
        content = first + await content_of(chunks)
    assert (await unpacked(content))[1] == [b'{"n":1}']


async def test_a_session_that_is_deleted_while_it_is_exported_is_told(desk):
    await desk.import_session(in_chunks(await archived(INFO, [b"{}"])))
    chunks = desk.export_session(INFO.id)
    await anext(chunks)
    await desk.delete(INFO.id)
    with pytest.raises(SessionNotFound):
        await content_of(chunks)


async def test_a_log_that_changes_behind_the_reader_is_told():
    logs = iter([[b'{"n":1}', b'{"n":2}'], [b'{"n":1}', b'{"n":3}']])

    async def read():
        for number, body in enumerate(next(logs), 1):
            yield Record(number, 1, body)

    with pytest.raises(Unavailable, match="changed while it was exported"):
        await content_of(write_archive(INFO, read, WHEN))


async def test_a_record_that_is_not_strict_is_named_and_never_exported():
    async def read():
        yield Record(1, 1, b"{}")
        yield Record(2, 1, b'{"text":"\xff"}')

    with pytest.raises(RecordInvalid, match="Record 2 cannot be exported"):
        await content_of(write_archive(INFO, read, WHEN))


async def test_a_damaged_record_is_exported_as_the_gap_that_it_is(desk, tmp_path):
    await desk.import_session(in_chunks(await archived(INFO, [b"{}", b'{"text":"good"}', b"{}"])))
    log = tmp_path / "sessions" / f"{INFO.id}.jsonl"
    log.write_bytes(log.read_bytes().replace(b"good", b"\xff\xff\xff\xff"))
    archive = await content_of(desk.export_session(INFO.id))
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        lines = [json.loads(line) for line in tar.extractfile("records.jsonl")]
    assert [(line["seq"], line["body"].get("kind")) for line in lines] == [(1, None), (2, "gap"), (3, None)]


class FrailStore:
    """A plugin: the files store, in which the third batch of records is a matter of `happen`."""

    def __init__(self, happen):
        self.happen = happen

    @hookimpl
    def kiro_stores(self):
        yield Provider("frail", self._open)

    @asynccontextmanager
    async def _open(self, _):
        async with open_store(FilesOptions()) as files:
            create = files.create
            files.create = lambda info: self._held(create(info))
            yield files

    @asynccontextmanager
    async def _held(self, held):
        async with held as db:
            append, count = db.append, iter(range(100))

            async def frail(batch):
                if next(count) == 2:
                    await self.happen()
                return await append(batch)

            self.db, db.append = db, frail
            yield db


LARGE = [b'{"n":%d,"pad":"%b"}' % (n, b"x" * 100_000) for n in range(60)]


@asynccontextmanager
async def frail_desk(happen):
    async with open_desk(load_settings({"store": "frail"}), Registry(FrailStore(happen))) as desk:
        yield desk


async def test_an_import_that_the_store_refuses_midway_leaves_nothing_behind(home):
    async def refuse():
        raise Unavailable("The disk is full.")

    with anyio.fail_after(20):
        async with frail_desk(refuse) as desk:
            with pytest.raises(Unavailable, match="disk is full"):
                await desk.import_session(in_chunks(await archived(INFO, LARGE)))
            assert not list((home / "sessions" / "core").glob("[!.]*"))


async def test_an_import_that_is_cancelled_midway_leaves_nothing_behind(home):
    entered = anyio.Event()

    async def wait():
        entered.set()
        await anyio.sleep_forever()

    with anyio.fail_after(20):
        async with frail_desk(wait) as desk:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(desk.import_session, in_chunks(await archived(INFO, LARGE)))
                await entered.wait()
                seen = (await desk.sessions(SessionQuery())).items
                tasks.cancel_scope.cancel()
            assert [info.title for info in seen] == ["Import that was not finished"]
            assert not list((home / "sessions" / "core").glob("[!.]*"))


MEASURED = """
import sys, tracemalloc
import anyio
from kiro_core.dispatcher import open_desk
from kiro_core.registry import Registry
from kiro_core.settings import load_settings
from kiro_core.testing.store_samples import session

async def main():
    info = session()
    body = b'{"pad":"%b"}' % (b"x" * 4000)
    async with open_desk(load_settings({}), Registry()) as desk:
        async with desk._backends.store.create(info) as db:
            for _ in range(100):
                await db.append([body] * 100)
        tracemalloc.start()
        copy = await desk.import_session(desk.export_session(info.id), new_id=True)
        print(tracemalloc.get_traced_memory()[1])
        print(len([None async for _ in desk.read(copy.id)]))

anyio.run(main)
"""


async def test_a_large_log_passes_with_little_memory(home):
    with anyio.fail_after(120):
        done = await anyio.run_process([sys.executable, "-c", MEASURED], stderr=None)
    peak, count = map(int, done.stdout.split())
    assert count == 10_000
    assert peak < 10 * 2**20, "of 40 MB"


async def test_the_store_numbers_imported_records_anew(desk):
    await desk.import_session(in_chunks(await archived(INFO, [b'{"n":%d}' % n for n in range(2000)])))
    found = [record async for record in desk.read(INFO.id)]
    assert [record.seq for record in found] == list(range(1, 2001))
