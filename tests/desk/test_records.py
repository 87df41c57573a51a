"""Whole sessions at a desk: deleted, called something and exported while they are live, and at rest."""

import anyio
import pytest

from kiro_core.errors import Held, LabelInvalid, NameTaken, SessionBusy, SessionNotFound, Unavailable
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import SessionQuery
from kiro_files import FilesOptions, open_store


async def test_a_live_session_is_closed_and_deleted(opened_desk, home):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            await office.desk.delete(session)
            assert session not in office.desk.live
            with pytest.raises(SessionNotFound):
                await office.desk.info(session)
            with pytest.raises(SessionNotFound):
                await office.ask(session, "still there?")
        assert not list((home / "sessions" / "core").glob("[!.]*"))


async def test_a_session_that_a_turn_keeps_busy_is_deleted_too(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            turn = await office.ask(session, "/hang")
            await office.desk.delete(session)
            assert (await turn.settled()).result["stopReason"] == "cancelled"


async def test_a_session_at_rest_is_deleted_once(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.close(session)
            await office.desk.delete(session)
            with pytest.raises(SessionNotFound):
                await office.desk.delete(session)


async def test_a_client_that_deletes_a_session_twice_succeeds_twice(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            for _ in range(2):
                frame = Frame.of("session/delete", {"sessionId": session}, id=0)
                assert (await office.agent.delete(frame)).result == {}
            assert not (await office.desk.sessions(SessionQuery())).items


async def test_a_session_of_another_process_is_neither_deleted_nor_relabelled(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.close(session)
            async with open_store(FilesOptions()) as other, other.open(session):
                with pytest.raises(Held):
                    await office.desk.delete(session)
                with pytest.raises(Held):
                    await office.desk.relabel(session, title="mine")
            assert (await office.desk.info(session)).title == ""


async def test_what_a_live_session_is_called_is_stored_at_once_and_stays(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            told = await office.desk.relabel(session, title=" My\n title ", name="nightly", tags=["b", "a", "b"])
            assert (told.title, told.titled, told.name, told.tags) == ("My title", True, "nightly", ("a", "b"))
            stored = await office.desk.info(session)
            assert (stored.title, stored.name, stored.tags) == (told.title, told.name, told.tags)
            await office.close(session)
            stored = await office.desk.info(session)
            assert (stored.title, stored.name, stored.tags) == (told.title, told.name, told.tags)


async def test_a_title_that_a_person_gave_is_kept_by_prompts_and_agents(opened_desk):
    titled = '/raw {"method":"session/update","params":{"update":{"sessionUpdate":"session_info_update","title":"T"}}}'
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.desk.relabel(session, title="mine")
            await office.prompt(session, titled)
            assert (await office.desk.info(session)).title == "mine"
            await office.desk.relabel(session, title="")
            await office.prompt(session, titled)
            assert (await office.desk.info(session)).title == "T"


async def test_only_what_is_named_changes_and_the_time_of_last_use_stays(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.close(session)
            before = await office.desk.relabel(session, title="mine", tags=["a"])
            after = await office.desk.relabel(session, name="nightly")
            assert (after.title, after.tags, after.name) == ("mine", ("a",), "nightly")
            assert after.updated == before.updated
            assert await office.desk.info(session) == after


@pytest.mark.parametrize("live", [True, False])
async def test_a_name_is_given_once_in_a_folder(opened_desk, live):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            first, second = await office.start(), await office.start()
            if not live:
                await office.close(second)
            await office.desk.relabel(first, name="nightly")
            with pytest.raises(NameTaken, match=first) as refused:
                await office.desk.relabel(second, name="nightly", title="not either")
            assert refused.value.details["session"] == first
            assert (await office.desk.info(second)).title == ""
            await office.desk.relabel(first, name="")
            assert (await office.desk.relabel(second, name="nightly")).name == "nightly"


@pytest.mark.parametrize(
    "labels", [{"title": "x" * 151}, {"name": "a\nb"}, {"tags": ["two words"]}, {"tags": [""]}, {"title": "\x1b[31m"}]
)
async def test_a_label_that_cannot_be_given_changes_nothing(opened_desk, labels):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            before = await office.desk.info(session)
            with pytest.raises(LabelInvalid):
                await office.desk.relabel(session, **labels)
            assert await office.desk.info(session) == before


async def test_a_session_that_is_being_opened_is_not_relabelled(opened_desk):
    with anyio.fail_after(30):
        async with (
            opened_desk(RecordingClient(), engines={"slow": ["--hang-at", "session/new"]}) as office,
            anyio.create_task_group() as tasks,
        ):
            tasks.start_soon(lambda: office.start(engine="slow"))
            while not office.desk.live:
                await anyio.lowlevel.checkpoint()
            with pytest.raises(SessionBusy):
                await office.desk.relabel(next(iter(office.desk.live)), title="x")
            tasks.cancel_scope.cancel()


async def test_a_change_that_cannot_be_written_is_no_success(opened_desk, monkeypatch):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            with monkeypatch.context() as full:
                full.setattr("kiro_files.metadata.replace_file", refuse)
                with pytest.raises(Unavailable, match="could not be written"):
                    await office.desk.relabel(session, title="mine")
            assert (await office.desk.info(session)).title == ""
            await office.close(session)
            assert (await office.desk.info(session)).title == "mine", "it is written with the next change"


async def test_a_live_session_is_exported_and_its_copy_can_be_read(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            await office.prompt(session, "hello")
            before = [record.body async for record in office.desk.read(session)]
            copy = await office.desk.import_session(office.desk.export_session(session), new_id=True)
            assert [record.body async for record in office.desk.read(copy.id)] == before
            office.client.frames.clear()
            await office.load(copy.id)
            assert "hello" in office.client.text(copy.id)
