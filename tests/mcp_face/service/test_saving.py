"""Archives: inside the session's folders, whole or not there, and back again."""

import os
import stat

import anyio
import pytest

from kiro_core.types import PruneRule


async def test_a_session_is_saved_and_loaded_from_its_archive_where_it_is_not_there(opened, tmp_path, home):
    with anyio.fail_after(30):
        async with opened() as place:
            session = await place.create()
            await place.chat("/echo kept")
            saved = await place.sessions.save(place.host, "fix.tar")
            assert (saved.session_id, saved.path) == (session, str(tmp_path / "fix.tar"))
            assert saved.bytes == (tmp_path / "fix.tar").stat().st_size
            assert stat.S_IMODE((tmp_path / "fix.tar").stat().st_mode) == 0o600
            assert sorted(path.name for path in tmp_path.iterdir()) == ["fix.tar", "home"]
            await place.sessions.end(place.host, session)
            await place.desk.delete(session)
            loaded = await place.sessions.load(place.host, path="fix.tar")
            assert (loaded.id, place.host.active) == (session, session)
            history = await place.service.past.history(place.host)
            assert [said.content for said in history.messages] == ["/echo kept", "kept"]


async def test_an_archive_whose_session_is_there_is_not_loaded(opened, refused, tmp_path):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.sessions.save(place.host, "fix.tar")
            failure = await refused(place.sessions.load, place.host, path="fix.tar")
            assert failure.code == "SESSION_ALREADY_EXISTS"
            path = str(tmp_path / "fix.tar")
            assert failure.details == {"session_id": session, "path": path}
            assert session in failure.hint
            assert "kiro_session_load" in failure.hint
            await place.sessions.end(place.host, session)
            await place.desk.relabel(session, tags=["old"])
            await place.desk.prune(PruneRule(tag="old"))
            failure = await refused(place.sessions.load, place.host, path="fix.tar")
            assert failure.hint == f"Get it back first: kiro-core sessions restore {session}"


async def test_an_archive_is_replaced_by_an_archive_and_nothing_else_is(opened, refused, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.tar").touch()
    (tmp_path / "link.tar").symlink_to(tmp_path / "fix.tar")
    os.mkfifo(tmp_path / "pipe.tar")
    with anyio.fail_after(20):
        async with opened() as place:
            await place.create()
            first = await place.sessions.save(place.host, "fix.tar")
            await place.chat("/echo more")
            assert (await place.sessions.save(place.host, "fix.tar")).bytes > first.bytes
            for name in ("notes.txt", "empty.tar", "link.tar", "pipe.tar"):
                failure = await refused(place.sessions.save, place.host, name)
                assert failure.code == "INVALID_CONFIG"
                assert "only what kiro_session_save has written is replaced" in failure.hint
            failure = await refused(place.sessions.save, place.host, "folder")
            assert (failure.code, failure.sentence) == ("INVALID_CONFIG", "folder is a folder.")
            assert (tmp_path / "notes.txt").read_text() == "mine"
            assert (tmp_path / "link.tar").is_symlink()
            assert not [path for path in tmp_path.iterdir() if path.name.startswith(".kiro-core-")]


@pytest.mark.parametrize(
    "path", ["../out.tar", "/out.tar", "below/../../out.tar", "out/x.tar", "missing/x.tar", ".", "..", "below/.."]
)
async def test_no_path_leads_out_of_the_sessions_folders(opened, refused, tmp_path, path):
    (tmp_path / "work" / "below").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "work" / "out").symlink_to(tmp_path / "elsewhere")
    with anyio.fail_after(20):
        async with opened(working_directory=str(tmp_path / "work")) as place:
            await place.create()
            failure = await refused(place.sessions.save, place.host, path)
            assert (failure.code, failure.details) == ("INVALID_CONFIG", {"path": path})
            assert not list(tmp_path.rglob("*.tar"))


async def test_a_link_inside_of_the_folders_is_resolved(opened, tmp_path):
    (tmp_path / "below").mkdir()
    (tmp_path / "link").symlink_to("below")
    with anyio.fail_after(20):
        async with opened() as place:
            await place.create()
            assert (await place.sessions.save(place.host, "link/x.tar")).path == str(tmp_path / "below" / "x.tar")


async def test_a_blank_path_is_none(opened, refused):
    with anyio.fail_after(20):
        async with opened() as place:
            await place.create()
            assert (await refused(place.sessions.save, place.host, " ")).code == "INVALID_COMMAND"


async def test_what_is_no_archive_is_not_loaded_and_says_why(opened, refused, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    os.mkfifo(tmp_path / "pipe.tar")
    with anyio.fail_after(20):
        async with opened() as place:
            failure = await refused(place.sessions.load, place.host, path="notes.txt")
            assert (failure.code, failure.details["cause"]) == ("INVALID_CONFIG", "ARCHIVE_INVALID")
            assert failure.details["path"] == str(tmp_path / "notes.txt")
            assert "kiro_session_save" in failure.hint
            for path in ("missing.tar", "pipe.tar", "notes.txt/x", "~nobody-has-this-name/x", "\0"):
                failure = await refused(place.sessions.load, place.host, path=path)
                assert failure.code == "INVALID_CONFIG"
                assert "kiro_session_save" in failure.hint
            assert (await refused(place.sessions.load, place.host, path=".")).sentence.endswith("is a folder.")


async def test_a_tilde_is_the_home_folder_wherever_a_path_is_named(opened, tmp_path):
    (tmp_path / "home" / "project").mkdir()
    with anyio.fail_after(20):
        async with opened(working_directory="~/project") as place:
            session = await place.create()
            saved = await place.sessions.save(place.host, "~/project/fix.tar")
            assert saved.path == str(tmp_path / "home" / "project" / "fix.tar")
            for path in ("fix.tar", "~/project/fix.tar"):
                await place.sessions.end(place.host, session)
                await place.desk.delete(session)
                assert (await place.sessions.load(place.host, path=path)).id == session


async def test_a_save_that_fails_half_way_leaves_the_old_archive_and_nothing_else(opened, refused, tmp_path):
    with anyio.fail_after(20):
        async with opened() as place:
            session = await place.create()
            await place.sessions.save(place.host, "fix.tar")
            before = (tmp_path / "fix.tar").read_bytes()
            await place.chat("/flood 2000 200")

            async def broken(_):
                yield b"manifest.json"
                raise OSError(28, "No space left on device")

            place.sessions._desk = _Exporting(place.desk, broken)
            failure = await refused(place.sessions.save, place.host, "fix.tar", session)
            assert failure.code == "INVALID_CONFIG"
            assert "No space left" in failure.sentence
            assert (tmp_path / "fix.tar").read_bytes() == before
            assert sorted(path.name for path in tmp_path.iterdir()) == ["fix.tar", "home"]


class _Exporting:
    """A desk whose archives are made otherwise."""

    def __init__(self, desk, export):
        self.info, self.export_session = desk.info, export
