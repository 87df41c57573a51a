"""The report of a run as a letter to the session that asked for it: once, and whatever dies."""

import anyio
import pytest
from crew_office import stage

from kiro_core.errors import Unavailable
from kiro_core.testing import RecordingClient
from kiro_core.types import SessionId


@pytest.fixture
def letters(home):
    """What is in the inbox of a session, as it was put."""

    def read(session):
        lines = [line for path in home.rglob(f"{session}.inbox") for line in path.read_text().splitlines()]
        return [line for line in lines if "has ended" in line]

    return read


async def full(*_):
    raise Unavailable("The disk is full.")


async def asked_for(office, *stages, **more):
    """A run with a session above it; both ids."""
    async with office.desk.attach(RecordingClient()) as agent:
        session = await office.start(agent)
        return session, await office.begin(*stages, parent=session, **more)


async def test_a_report_becomes_a_letter_when_the_run_ends(opened_desk, letters):
    with anyio.fail_after(60):
        async with opened_desk() as office:
            session, run = await asked_for(office, stage("a", "/echo apples"), stage("b", "/echo pears", "a"))
            await office.crew.deliver(run)
            await office.crew.deliver(run)
            report = await office.ended(run)
            (letter,) = letters(session)
            assert report["outcome"] == "succeeded"
            for told in (run, "apples", "pears", "succeeded"):
                assert told in letter
            await office.crew.deliver(run)
            assert len(letters(session)) == 1


async def test_how_many_letters_led_to_a_run_is_counted_on_by_its_stages_and_its_report(opened_desk, letters):
    with anyio.fail_after(60):
        async with opened_desk(limits={"close_s": 0.5}) as office:
            session, run = await asked_for(office, stage("a", "/sleep 600"), hops=7)
            view = await office.until(run, lambda view: view.stages[0].session)
            await office.crew.deliver(run)
            while not (prompts := await office.entries(view.stages[0].session, "prompt")):
                await anyio.lowlevel.checkpoint()
            assert prompts[0].value["params"]["_meta"]["kiro_core"]["hops"] == 7
        async with opened_desk() as office:
            await office.crew.cancel(run)
            await office.ended(run)
            assert '"hops":8' in letters(session)[0].replace(" ", "").replace("\\", "")


async def test_a_report_that_is_asked_for_behind_the_end_comes_at_once(opened_desk, letters):
    with anyio.fail_after(60):
        async with opened_desk() as office:
            session, run = await asked_for(office, stage("a", "/echo apples"))
            await office.ended(run)
            assert letters(session) == []
            await office.crew.deliver(run)
            assert len(letters(session)) == 1


async def test_a_run_that_another_desk_goes_on_with_delivers_its_report(opened_desk, letters):
    with anyio.fail_after(60):
        async with opened_desk(limits={"close_s": 0.5}) as office:
            session, run = await asked_for(office, stage("a", "/sleep 600"))
            await office.crew.deliver(run)
            await office.until(run, lambda view: view.stages[0].session)
        async with opened_desk() as office:
            await office.crew.cancel(run)
            await office.ended(run)
            assert len(letters(session)) == 1


async def test_a_run_that_was_cut_off_takes_note_that_its_report_is_wanted(opened_desk, letters):
    with anyio.fail_after(60):
        async with opened_desk(limits={"close_s": 0.5}) as office:
            session, run = await asked_for(office, stage("a", "/sleep 600"))
            await office.until(run, lambda view: view.stages[0].session)
        async with opened_desk() as office:
            await office.crew.deliver(run)
            assert letters(session) == []
            await office.crew.cancel(run)
            await office.ended(run)
            assert len(letters(session)) == 1


async def test_a_report_that_cannot_be_delivered_leaves_the_run_to_be_gone_on_with(opened_desk, store, letters):
    with anyio.fail_after(60):
        async with opened_desk(plugins=[store], store="frail", crew={"children": "orphan"}) as office:
            session, run = await asked_for(office, stage("a", "/echo apples"))
            await office.crew.deliver(run)
            put, store.put = store.put, full
            with pytest.raises(Unavailable):
                await office.until(run, lambda _: False)
            store.put = put
            await office.crew.resume(run)
            assert (await office.ended(run))["outcome"] == "succeeded"
            assert len(letters(session)) == 1


async def test_a_report_for_a_session_that_was_deleted_is_no_failure(opened_desk):
    with anyio.fail_after(60):
        async with opened_desk() as office:
            session, run = await asked_for(office, stage("a", "/echo apples"))
            await office.ended(run)
            await office.desk.delete(SessionId(session))
            await office.crew.deliver(run)
