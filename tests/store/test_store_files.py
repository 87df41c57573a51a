"""The bundled store keeps the contract of stores, privately and under canonical names only."""

import errno
import os
import stat
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from kiro_core.errors import RecordInvalid, SessionNotFound
from kiro_core.testing import StoreContract
from kiro_core.testing.store_samples import records, session, stored
from kiro_core.types import SessionQuery
from kiro_files import FilesOptions, open_store


class TestFiles(StoreContract):
    provider = "files"

    @pytest.fixture
    def options(self, tmp_path):
        return {"root": tmp_path / "sessions"}

    @pytest.fixture
    def outage(self, monkeypatch):
        write = os.write

        def torn(fd, data):
            write(fd, data[: len(data) - 5])
            raise OSError(errno.EIO, os.strerror(errno.EIO))

        @contextmanager
        def outage():
            with monkeypatch.context() as broken:
                broken.setattr(os, "write", torn)
                yield

        return outage


def test_sessions_stand_in_the_home_of_kiro(monkeypatch):
    monkeypatch.setenv("KIRO_HOME", "~/elsewhere")
    assert FilesOptions().root == Path.home() / "elsewhere/sessions/core"
    monkeypatch.delenv("KIRO_HOME")
    assert FilesOptions().root == Path.home() / ".kiro/sessions/core"


async def test_metadata_that_are_no_text_are_refused_and_nothing_is_stored(tmp_path):
    info = session()
    named = replace(info, cwd="/home/ada/caf\udce9")
    async with open_store(FilesOptions(root=tmp_path / "own")) as store:
        for refused in (named, replace(info, tags=("\ud800",))):
            with pytest.raises(RecordInvalid, match="no Unicode text") as told:
                async with store.create(refused):
                    pass
            assert told.value.hint
        assert not (tmp_path / "own").exists()
        async with store.create(info) as db:
            with pytest.raises(RecordInvalid, match="no Unicode text"):
                await db.put_info(named)
            assert (db.info, await store.get(info.id)) == (info, info)
            await db.put_info(replace(info, title="next"))


async def test_what_can_be_no_folder_has_no_sessions(tmp_path):
    async with open_store(FilesOptions(root=tmp_path / "own")) as store:
        await stored(store)
        for folder in ("/home/ada\0b", "/home/ada/\ud800"):
            assert list((await store.list(SessionQuery(folder))).items) == []


def test_an_unknown_option_is_refused():
    with pytest.raises(ValidationError, match="rooot"):
        FilesOptions.model_validate({"rooot": "/work"})


@pytest.mark.parametrize("umask", [0o000, 0o277])
async def test_files_are_private_whatever_the_umask(tmp_path, umask):
    root = tmp_path / "parent" / "sessions"
    before = os.umask(umask)
    try:
        async with open_store(FilesOptions(root=root)) as store, store.create(session()) as db:
            await db.append([b"{}"])
            await db.put_info(db.info)
    finally:
        os.umask(before)
    assert [stat.S_IMODE(folder.stat().st_mode) for folder in (root, root.parent)] == [0o700, 0o700]
    assert sorted((file.suffix, stat.S_IMODE(file.stat().st_mode)) for file in root.glob("[!.]*")) == [
        (".json", 0o600),
        (".jsonl", 0o600),
        (".lock", 0o600),
    ]


async def test_looking_creates_nothing(store, root):
    with pytest.raises(SessionNotFound):
        await store.get(session().id)
    with pytest.raises(SessionNotFound):
        await store.open(session().id).__aenter__()
    with pytest.raises(SessionNotFound):
        await records(store, session().id)
    assert not (await store.list(SessionQuery())).items
    assert not root.exists()


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "", ".", "ABCDEF01-2345-4789-abcd-ef0123456789", "{}\n", "{}\0", "{}/../{}"]
)
async def test_only_a_canonical_uuid_becomes_a_file_name(store, root, name):
    name = name.replace("{}", "abcdef01-2345-4789-abcd-ef0123456789")
    with pytest.raises(SessionNotFound):
        await store.get(name)
    with pytest.raises(SessionNotFound):
        await store.open(name).__aenter__()
    with pytest.raises(SessionNotFound):
        await records(store, name)
    with pytest.raises(ValueError, match="UUID"):
        await store.create(session(id=name)).__aenter__()
    assert not root.exists()


async def test_metadata_of_another_session_is_refused(store):
    async with store.create(session()) as db:
        with pytest.raises(ValueError, match="metadata"):
            await db.put_info(session())


async def test_a_folder_is_found_by_its_other_names(store, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    info = await stored(store, cwd=str(tmp_path / "link"))
    for name in ("real", "link", "link/../real"):
        page = await store.list(SessionQuery(cwd=str(tmp_path / name)))
        assert list(page.items) == [info]


async def test_damaged_metadata_is_named_by_get_and_left_out_by_list(store, root):
    good, bad = await stored(store), await stored(store)
    for text in (b"", b"{", b"[]", b'{"id":7}', b"\xff", (root / f"{good.id}.json").read_bytes()):
        (root / f"{bad.id}.json").write_bytes(text)
        with pytest.raises(RecordInvalid, match=bad.id):
            await store.get(bad.id)
        with pytest.raises(RecordInvalid, match=bad.id):
            await store.open(bad.id).__aenter__()
        assert list((await store.list(SessionQuery())).items) == [good]
