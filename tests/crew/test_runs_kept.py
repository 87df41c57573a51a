"""A run is a session of the store: it is listed, exported, cleared away and mended like any, but nobody talks in it."""

from datetime import timedelta

import anyio
import pytest
from crew_office import outcomes, stage

from kiro_core.errors import Held, SessionNotFound
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import PruneRule, SessionId, SessionQuery


async def test_a_run_is_listed_as_what_it_is_and_cannot_be_loaded(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk() as office, office.desk.attach(RecordingClient()) as agent:
            report = await office.finished(stage("a", "x"))
            run = report["run"]
            listed = {info.id: info for info in (await office.desk.sessions(SessionQuery())).items}
            assert (listed[run].kind, listed[run].title, len(listed)) == ("run", "test", 2)
            shown = await agent.list(Frame.of("session/list", {}, id=0))
            assert run not in [session["sessionId"] for session in shown.result["sessions"]]
            params = {"sessionId": run, "cwd": str(office.cwd), "mcpServers": []}
            with pytest.raises(SessionNotFound, match="a run of a crew") as refused:
                await agent.open(Frame.of("session/load", params, id=0), replay=True)
            assert refused.value.hint == f"`kiro-core crew show {run}` shows it."


async def test_a_conversation_is_no_run(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk() as office, office.desk.attach(RecordingClient()) as agent:
            session = SessionId(await office.start(agent))
            for verb in (office.crew.report, office.crew.resume, office.crew.cancel):
                with pytest.raises(SessionNotFound, match="is a conversation"):
                    await verb(session)


async def test_a_run_that_goes_on_is_not_deleted_renamed_or_pruned(opened_desk):
    with anyio.fail_after(60):
        async with opened_desk(face="crew") as first, opened_desk() as second:
            run = await first.begin(stage("a", "/sleep 600"))
            for office in (first, second):
                with pytest.raises(Held):
                    await office.desk.delete(run)
                with pytest.raises(Held):
                    await office.desk.relabel(run, title="mine")
                with pytest.raises(Held):
                    await office.desk.take_over(run)
                (pruned,) = await office.desk.prune(PruneRule(older_than=timedelta(microseconds=1)), only=[run])
                assert pruned.outcome == "held"
            await first.crew.cancel(run)
            await first.ended(run)
            await second.desk.relabel(run, title="mine")
            await second.desk.delete(run)
            with pytest.raises(SessionNotFound):
                await second.crew.report(run)


async def test_a_run_in_the_trash_does_not_go_on_before_it_is_restored(opened_desk):
    with anyio.fail_after(60):
        async with opened_desk() as office:
            run = await office.begin(stage("a", "/sleep 600"))
            await office.until(run, lambda view: view.stages[0].session)
        async with opened_desk() as office:
            await office.desk.relabel(run, tags=["old"])
            (pruned,) = await office.desk.prune(PruneRule(tag="old"))
            assert (pruned.session, pruned.outcome) == (run, "trashed")
            with pytest.raises(SessionNotFound, match="in the trash"):
                await office.crew.resume(run)
            await office.desk.restore(run)
            await office.crew.resume(run, skip=["a"])
            assert outcomes(await office.ended(run)) == {"a": "skipped"}


async def test_metadata_that_are_made_anew_are_those_of_a_run(opened_desk, home):
    with anyio.fail_after(30):
        async with opened_desk() as office:
            run = SessionId((await office.finished(stage("a", "x")))["run"])
            next(home.rglob(f"{run}.json")).write_text("{")
            await office.desk.verify(run, repair=True)
            info = await office.desk.info(run)
            assert (info.kind, info.cwd) == ("run", str(office.cwd))
            assert outcomes(await office.crew.report(run)) == {"a": "succeeded"}
