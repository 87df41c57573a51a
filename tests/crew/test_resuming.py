"""A run outlives its desk: what has ended is not done again, and of what was cut off somebody says what becomes."""

import time
from datetime import datetime, timedelta

import anyio
import pytest
from crew_office import found, outcomes, phases, scripted, stage
from frail_store import FULL

from kiro_core.crew.clock import Clock
from kiro_core.errors import CrewInvalid, Fenced, Held, RecordInvalid, SessionClosing, Unavailable
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import SessionId

SLOW_ONCE = """
import pathlib
once = pathlib.Path(opening['cwd']) / 'once'
if not once.exists():
    once.touch()
    tell('at work')
    time.sleep(600)
tell('done')
"""


class Gate:
    """A client that answers when it is opened."""

    def __init__(self):
        self.opened = anyio.Event()
        self.client = RecordingClient(answer=self._answer)

    async def _answer(self, frame):
        await self.opened.wait()
        return Frame.answer({"outcome": {"outcome": "selected", "optionId": "once"}})


@pytest.fixture
def cut_off(opened_desk):
    """Begin a run of two stages, the second of which is at work when its desk ends; its id."""

    async def begun(*more, **settings):
        async with opened_desk(
            engines={"x": scripted(prompt=SLOW_ONCE)}, limits={"close_s": 0.5}, **settings
        ) as office:
            run = await office.begin(
                stage("a", "/echo one"),
                stage("b", "x", "a", engine="x"),
                stage("c", "/echo {stages.b.result}", "b"),
                *more,
            )
            await office.until(run, lambda view: view.stages[1].activity == "at work")
        return run

    return begun


def again(opened_desk, **settings):
    return opened_desk(engines={"x": scripted(prompt=SLOW_ONCE)}, **settings)


async def test_what_was_cut_off_waits_for_a_choice_and_the_others_go_on(opened_desk, cut_off):
    with anyio.fail_after(60):
        run = await cut_off()
        async with again(opened_desk) as office:
            await office.crew.resume(run)
            view = await office.until(run, lambda _: False)
            assert (view.live, view.outcome, view.done) == (False, "waiting", False)
            assert (await office.crew.report(run))["outcome"] == "waiting"
            assert phases(view) == {"a": "settled", "b": "unknown", "c": "waiting"}
            await office.crew.resume(run, rerun=["b"])
            report = await office.ended(run)
            assert outcomes(report) == {"a": "succeeded", "b": "succeeded", "c": "succeeded"}
            assert [len(found(report, name)["attempts"]) for name in "abc"] == [1, 2, 1]
            assert found(report, "b")["attempts"][0]["outcome"] == "unknown"
            assert found(report, "c")["result"] == "done"


async def test_a_stage_that_was_cut_off_can_be_left_out(opened_desk, cut_off):
    with anyio.fail_after(60):
        run = await cut_off()
        async with again(opened_desk) as office:
            with pytest.raises(CrewInvalid, match="for the stage 'a'"):
                await office.crew.resume(run, skip=["a", "b"])
            await office.crew.resume(run, skip=["b"])
            assert outcomes(await office.ended(run)) == {"a": "succeeded", "b": "skipped", "c": "skipped"}


async def test_nobody_can_have_a_stage_run_again_and_leave_it_out(opened_desk, cut_off):
    with anyio.fail_after(60):
        run = await cut_off()
        async with again(opened_desk) as office:
            with pytest.raises(CrewInvalid, match="The stage 'b' cannot run again and be left out"):
                await office.crew.resume(run, rerun=["b"], skip=["b"])
            await office.crew.resume(run, rerun=["b"])
            assert (await office.ended(run))["outcome"] == "succeeded"


async def test_a_run_that_nobody_drives_waits_and_what_was_cut_off_took_as_long_as_it_was_heard_of(
    opened_desk, cut_off, monkeypatch
):
    with anyio.fail_after(60):
        run = await cut_off()
        async with again(opened_desk) as office:
            view = await office.until(run, lambda _: False)
            assert (view.outcome, phases(view)["b"]) == ("waiting", "unknown")
            assert found(await office.crew.report(run), "b")["phase"] == "unknown"
            (attempt,) = found(await office.crew.report(run), "b")["attempts"]
            heard = [record.at async for record in office.desk.told(SessionId(attempt["session"]))][-1]
            monkeypatch.setattr(Clock, "now", lambda _: time.time() + 3600)
            await office.crew.resume(run)
            report = await office.ended(run)
            ended, last = map(datetime.fromisoformat, (found(report, "b")["attempts"][0]["ended"], heard))
            assert abs(ended - last) < timedelta(seconds=1)


async def test_a_setting_has_it_run_again(opened_desk, cut_off):
    with anyio.fail_after(60):
        run = await cut_off()
        async with again(opened_desk, crew={"unknown_stages": "retry"}) as office:
            await office.crew.resume(run)
            assert (await office.ended(run))["outcome"] == "succeeded"


async def test_a_run_that_waits_can_be_cancelled_and_then_has_ended(opened_desk, cut_off):
    with anyio.fail_after(60):
        run = await cut_off()
        async with again(opened_desk) as office:
            await office.crew.cancel(run)
            report = await office.ended(run)
            assert report["outcome"] == "cancelled"
            assert outcomes(report) == {"a": "succeeded", "b": "unknown", "c": "cancelled"}
            for verb in (office.crew.cancel, office.crew.resume):
                with pytest.raises(CrewInvalid, match="has ended"):
                    await verb(run)


async def test_a_child_that_was_deleted_leaves_its_stage_unknown(opened_desk, cut_off):
    with anyio.fail_after(60):
        run = await cut_off()
        async with again(opened_desk, crew={"unknown_stages": "ask"}) as office:
            report = await office.crew.report(run)
            await office.desk.delete(SessionId(found(report, "b")["attempts"][0]["session"]))
            await office.crew.resume(run)
            assert phases(await office.until(run, lambda _: False))["b"] == "unknown"


async def test_a_turn_that_ended_before_the_run_could_say_so_is_not_had_again(opened_desk, store):
    gate = Gate()
    with anyio.fail_after(60):
        async with opened_desk(plugins=[store], store="frail") as office:
            run = await office.begin(stage("a", "/permission Go\n/echo went"), stage("b", "x", "a"), client=gate.client)
            await gate.client.until(lambda client: client.questions)
            trouble = store.fails("append", kind="crew_event", times=100)
            gate.opened.set()
            with pytest.raises(Unavailable, match="The disk is full"):
                await office.until(run, lambda _: False)
            assert not office.desk.live
            trouble.mend()
            await office.crew.resume(run)
            report = await office.ended(run)
            assert outcomes(report) == {"a": "succeeded", "b": "succeeded"}
            (attempt,) = found(report, "a")["attempts"]
            assert (attempt["outcome"], found(report, "a")["result"].split()[-1]) == ("succeeded", "went")


async def test_an_agent_that_never_got_its_prompt_gets_it_without_a_question(opened_desk, store):
    with anyio.fail_after(60):
        async with opened_desk(plugins=[store], store="frail") as office:
            trouble = store.fails("append", FULL, kind="crew_child")
            run = await office.begin(stage("a", "/echo one"))
            with pytest.raises(Unavailable):
                await office.until(run, lambda _: False)
            assert not office.desk.live
            trouble.mend()
            await office.crew.resume(run)
            report = await office.ended(run)
            assert [each["outcome"] for each in found(report, "a")["attempts"]] == ["unknown", "succeeded"]


async def test_a_run_that_cannot_be_put_on_record_does_not_begin(opened_desk, store):
    with anyio.fail_after(30):
        async with opened_desk(plugins=[store], store="frail") as office:
            store.fails("append", kind="crew_begun")
            with pytest.raises(Unavailable):
                await office.begin(stage("a", "x"))
            assert not office.desk.live


async def test_a_run_whose_record_is_taken_away_ends_its_agents(opened_desk, home):
    with anyio.fail_after(30):
        async with opened_desk() as office:
            run = await office.begin(stage("a", "/sleep 600"))
            await office.until(run, lambda view: view.stages[0].session)
            lock = next(home.rglob(f"{run}.lock"))
            lock.rename(lock.with_suffix(".gone"))
            await office.crew.cancel(run)
            with pytest.raises(Fenced):
                await office.until(run, lambda _: False)
            assert not office.desk.live


async def test_two_desks_never_drive_one_run(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk() as first, opened_desk() as second:
            run = await first.begin(stage("a", "/sleep 600"))
            for verb in (second.crew.resume, second.crew.cancel):
                with pytest.raises(Held):
                    await verb(run)
            view = await second.until(run, lambda _: False)
            assert (view.live, view.outcome) == (False, "running")
            await first.crew.cancel(run)
            assert (await first.ended(run))["outcome"] == "cancelled"


async def test_a_desk_that_is_drained_ends_what_runs_and_another_one_goes_on(opened_desk):
    gate = Gate()
    with anyio.fail_after(60):
        async with opened_desk() as office:
            run = await office.begin(stage("a", "/permission Go"), stage("b", "/echo two", "a"), client=gate.client)
            await gate.client.until(lambda client: client.questions)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(office.desk.drain, 30)
                while not office.desk.not_ready():
                    await anyio.lowlevel.checkpoint()
                gate.opened.set()
            with pytest.raises(SessionClosing):
                await office.begin(stage("a", "x"))
        async with opened_desk() as office:
            await office.crew.resume(run)
            report = await office.ended(run)
            assert outcomes(report) == {"a": "succeeded", "b": "succeeded"}
            assert [len(found(report, name)["attempts"]) for name in "ab"] == [1, 1]


async def test_a_run_out_of_an_archive_can_be_looked_at_and_never_goes_on(opened_desk, cut_off):
    with anyio.fail_after(60):
        run = await cut_off()
        async with again(opened_desk) as office:
            archive = [chunk async for chunk in office.desk.export_session(run)]

            async def chunks():
                for chunk in archive:
                    yield chunk

            copy = (await office.desk.import_session(chunks(), new_id=True)).id
            assert outcomes(await office.crew.report(copy)) == {"a": "succeeded", "b": "", "c": ""}
            with pytest.raises(CrewInvalid, match="came out of an archive"):
                await office.crew.resume(copy)


async def test_a_run_of_which_records_are_lost_does_not_go_on(opened_desk, cut_off, home):
    with anyio.fail_after(60):
        run = await cut_off()
        log = next(home.rglob(f"{run}.jsonl"))
        lines = log.read_bytes().splitlines(keepends=True)
        log.write_bytes(b"".join([*lines[:2], b"!" * len(lines[2][:-1]) + b"\n", *lines[3:]]))
        async with again(opened_desk) as office:
            with pytest.raises(RecordInvalid, match="was damaged and is lost"):
                await office.crew.resume(run)
