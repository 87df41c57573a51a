"""Runs at a desk: each stage is a session with an agent, and whatever becomes of it, the run ends and is on record."""

import anyio
import pytest
from crew_office import found, outcomes, phases, scripted, stage

from kiro_core.errors import CrewInvalid, SessionNotFound
from kiro_core.types import SessionId, SessionQuery

FLAKY = """
import pathlib
tries = pathlib.Path(opening['cwd']) / 'tries'
tries.write_text(tries.read_text() + 'x' if tries.exists() else 'x')
if len(tries.read_text()) < 3:
    sys.exit(3)
tell('at last')
"""


async def test_results_are_handed_on_and_each_attempt_is_a_session_of_its_own_below_the_run(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk() as office:
            stages = [stage("a", "/echo {task}"), stage("b", "/echo Got: {stages.a.result}", "a")]
            run = await office.begin(*stages, task="apples")
            report = await office.ended(run)
            assert (report["outcome"], found(report, "b")["result"]) == ("succeeded", "Got: apples")
            assert not office.desk.live, "each session has ended with its attempt"
            children = [found(report, name)["attempts"][0]["session"] for name in "ab"]
            infos = [await office.desk.info(SessionId(session)) for session in children]
            assert [(info.parent, info.name) for info in infos] == [(run, f"{run[:8]}/{name}") for name in "ab"]
            assert [info.id for info in await office.crew.runs()] == [run]


async def test_each_step_is_on_record_in_its_order(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk() as office:
            run = await office.begin(stage("a", "/echo one"))
            report = await office.ended(run)
            begun, started, child, settled, ended = await office.entries(
                run, "crew_begun", "crew_event", "crew_child", "crew_ended"
            )
            assert begun.value["crew"]["stages"][0]["prompt"] == "/echo one"
            assert (started.value["kind"], settled.value["kind"]) == ("started", "settled")
            assert child.value == {"stage": "a", "attempt": 1, "session": found(report, "a")["attempts"][0]["session"]}
            assert ended.value == report


async def test_the_result_is_what_the_agent_said_behind_its_last_tool(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk() as office:
            report = await office.finished(
                stage("a", "/echo I look.\n/tool Look\n/echo Found \n/thought so\n/echo it.")
            )
            assert found(report, "a")["result"] == "Found it."


@pytest.mark.parametrize(("most", "crew"), [(2, {}), (1, {"max_parallel": 1})])
async def test_as_many_stages_run_at_a_time_as_the_crew_or_else_the_settings_say(opened_desk, most, crew):
    with anyio.fail_after(30):
        async with opened_desk(crew={"max_parallel": 2}) as office:
            run = await office.begin(*(stage(name, "/sleep 600") for name in "abc"), **crew)
            view = await office.until(run, lambda view: sum(bool(one.session) for one in view.stages) == most)
            assert sorted(phases(view).values()) == ["running"] * most + ["waiting"] * (3 - most)
            await office.crew.cancel(run)
            report = await office.ended(run)
            assert report["outcome"] == "cancelled"
            assert set(outcomes(report).values()) == {"cancelled"}
            assert not office.desk.live


async def test_what_an_agent_says_word_by_word_is_seen_as_a_line(opened_desk):
    words = "tell('one\\ntw'); tell('o th'); tell('ree'); time.sleep(600)"
    with anyio.fail_after(30):
        async with opened_desk(engines={"x": scripted(prompt=words)}, limits={"close_s": 0.5}) as office:
            run = await office.begin(stage("a", "x", engine="x"))
            view = await office.until(run, lambda view: "ree" in view.stages[0].activity)
            assert view.stages[0].activity == "two three"


async def test_who_follows_sees_what_each_agent_does(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk() as office:
            run = await office.begin(stage("a", "/tool Measure\n/sleep 600"))
            view = await office.until(run, lambda view: "Measure" in view.stages[0].activity)
            (shown,) = view.stages
            assert (view.live, view.outcome, shown.phase, shown.attempts) == (True, "running", "running", 1)
            assert shown.session in office.desk.live
            await office.crew.cancel(run)
            last = await office.until(run, lambda _: False)
            assert (last.live, last.outcome) == (False, "cancelled")


async def test_an_attempt_that_fails_is_made_again_with_another_agent_program(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(engines={"flaky": scripted(prompt=FLAKY)}, engine="flaky") as office:
            retry = {"times": 2, "backoff_s": 0}
            report = await office.finished(stage("a", "x", retry=retry))
            stages = found(report, "a")
            assert [each["outcome"] for each in stages["attempts"]] == ["failed", "failed", "succeeded"]
            assert "status 3" in stages["attempts"][0]["error"]
            assert len({each["session"] for each in stages["attempts"]}) == 3
            assert stages["result"] == "at last"


async def test_a_stage_that_takes_too_long_is_ended_and_those_for_whom_that_matters_run(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(limits={"control_s": 1, "close_s": 0.5}) as office:
            report = await office.finished(
                stage("slow", "/hang", timeout_s=0.3),
                stage("then", "/echo never", "slow"),
                stage("instead", "/echo {stages.slow.result}", "slow", when="any_failed"),
            )
            assert outcomes(report) == {"slow": "timed_out", "then": "skipped", "instead": "succeeded"}
            assert "ran out of time" in found(report, "instead")["result"]
            assert not office.desk.live


async def test_an_attempt_that_is_ended_while_it_is_opened_leaves_nothing_at_work(opened_desk):
    with anyio.fail_after(60):
        slow = scripted(new="open('opening', 'w').close(); time.sleep(600)")
        limits = {"start_s": 500, "control_s": 5, "close_s": 0.5}
        async with opened_desk(engines={"slow": slow}, limits=limits) as office:
            run = await office.begin(stage("a", "x", engine="slow", timeout_s=1), stage("b", "/sleep 600"))
            await office.until(run, lambda view: view.stages[0].outcome)
            assert [live.plan.engine.name for live in office.desk.live.values()] == ["rehearsal"]
            await office.crew.cancel(run)
            await office.ended(run)
            assert not office.desk.live


async def test_when_the_time_of_the_run_is_over_everything_ends(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk() as office:
            report = await office.finished(stage("a", "/sleep 600"), stage("b", "/echo x", "a"), timeout_s=1)
            assert report["outcome"] == "timed_out"
            assert outcomes(report) == {"a": "timed_out", "b": "cancelled"}


@pytest.mark.parametrize(
    ("engine", "more", "told"),
    [
        ({"command": ["/bin/sh", "-c", "exit 3"]}, {}, "status 3"),
        (scripted(new="time.sleep(600)"), {}, "did not answer session/new within"),
        ({}, {"model": "nothing-like-it", "engine": "rehearsal"}, "The model 'nothing-like-it' cannot be had"),
        (scripted(prompt="answers['session/prompt'] = {'stopReason': 'refusal'}"), {}, "The agent refused to do it."),
        (
            scripted(prompt="answers['session/prompt'] = {'stopReason': 'max_tokens'}"),
            {},
            "before it was done: max_tokens",
        ),
        (scripted(prompt="refuse(-32603, 'no money left')"), {}, "no money left"),
        (scripted(prompt="answers['session/prompt'] = {'stopReason': 'cancelled'}"), {}, "cancelled"),
    ],
    ids=["launch", "start", "model", "refusal", "tokens", "error", "cancelled"],
)
async def test_what_does_not_succeed_is_a_failed_stage_that_says_why(opened_desk, engine, more, told):
    with anyio.fail_after(30):
        async with opened_desk(
            engines={"x": engine or scripted()}, engine="x", limits={"start_s": 1, "close_s": 0.5}
        ) as office:
            report = await office.finished(stage("a", "x", **more), stage("b", "/echo x", "a", engine="rehearsal"))
            assert outcomes(report) == {"a": "cancelled" if told == "cancelled" else "failed", "b": "skipped"}
            assert told in found(report, "a")["error"]
            assert not office.desk.live


async def test_the_model_and_the_engine_of_a_stage_are_those_of_its_session(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(engines={"other": scripted(prompt="tell('other')")}) as office:
            report = await office.finished(
                stage("a", "/say-choices", model="rehearsal-2"), stage("b", "x", engine="other")
            )
            info = await office.desk.info(SessionId(found(report, "a")["attempts"][0]["session"]))
            assert (info.engine, info.model) == ("rehearsal", "rehearsal-2")
            assert found(report, "b")["result"] == "other"


async def test_what_cannot_run_is_told_as_a_whole_and_nothing_is_stored(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk() as office:
            with pytest.raises(CrewInvalid) as refused:
                await office.begin(stage("a", "{task}", agent="nobdy"), stage("b", "x", "c", engine="reharsal"))
            fields = [problem["field"] for problem in refused.value.details["problems"]]
            assert fields == ["stages.0.agent", "stages.1.depends_on", "stages.1.engine", "stages.0.prompt"]
            with pytest.raises(CrewInvalid, match="There is no folder"):
                await office.crew.run({}, cwd=office.cwd / "gone")
            with pytest.raises(SessionNotFound):
                await office.begin(stage("a", "x"), parent="00000000-0000-4000-8000-000000000000")
            assert (await office.desk.sessions(SessionQuery())).items == []
