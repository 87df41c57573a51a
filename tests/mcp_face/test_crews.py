"""A host has a crew work: it begins a run, follows it to its end by long polls, answers what is asked, and cancels."""

import anyio
import pytest

from kiro_mcp.service.run_views import RunState

QUESTION = '{{"title": "shell", "kind": "execute", "rawInput": {{"command": "make"}}}}'


@pytest.fixture(params=["legacy"])
def era(request):
    """The era makes no difference to these tools."""
    return request.param


def stage(name, prompt, *before, **more):
    return {"id": name, "prompt": prompt, "depends_on": list(before), **more}


async def ended(host, run):
    """How a run stands when it is done, by long polls."""
    while not (found := await host.call("kiro_crew_status", run=run, timeout_s=20))["is_done"]:
        pass
    return found


def results(found):
    return {each["id"]: each["result"] for each in found["stages"]}


async def test_stages_run_in_their_order_and_their_results_are_told_at_the_end(opened_host):
    async with opened_host() as host:
        stages = [stage("look", "/echo seven"), stage("tell", "/echo so: {stages.look.result}", "look")]
        begun = await host.call("kiro_crew_run", task="Count the beans\nall of them", stages=stages)
        found = await ended(host, begun["run"])
        assert (found["name"], found["outcome"]) == ("Count the beans", "succeeded")
        assert results(found) == {"look": "seven", "tell": "so: seven"}
        assert all(each["session_id"] for each in found["stages"])
        again = await host.call("kiro_crew_status", run=begun["run"])
        assert again["state"] == found["state"]


async def test_a_crew_is_given_as_its_file_has_it(opened_host):
    async with opened_host() as host:
        crew = {"name": "one", "max_parallel": 1, "stages": [stage("a", "/echo {task}", engine="rehearsal")]}
        begun = await host.call("kiro_crew_run", crew=crew, task="hello")
        assert results(await ended(host, begun["run"])) == {"a": "hello"}


async def test_a_task_alone_is_done_by_one_agent(opened_host):
    async with opened_host() as host:
        begun = await host.call("kiro_crew_run", task="/echo seven")
        assert results(await ended(host, begun["run"])) == {"task": "seven"}


async def test_a_poll_returns_when_something_has_changed(opened_host):
    async with opened_host() as host:
        stages = [stage("a", "/echo x"), stage("b", "/sleep 600", "a")]
        run = (await host.call("kiro_crew_run", stages=stages))["run"]
        state, seen = "", []
        with anyio.fail_after(30):
            while "b running" not in seen:
                found = await host.call("kiro_crew_status", run=run, after=state or "nothing", timeout_s=20)
                assert found["state"] != state
                state = found["state"]
                seen += [f"{each['id']} {each['phase']}" for each in found["stages"]]
        unchanged = await host.call("kiro_crew_status", run=run, after=state, timeout_s=0.2)
        assert (unchanged["state"], unchanged["is_done"], unchanged["is_driven"]) == (state, False, True)
        cancelled = await host.call("kiro_crew_cancel", run=run)
        assert cancelled["success"]
        found = await ended(host, run)
        assert [each["outcome"] for each in found["stages"]] == ["succeeded", "cancelled"]
        assert not (await host.call("kiro_crew_cancel", run=run))["success"]


async def test_what_a_stage_asks_is_a_question_of_the_session_that_wanted_the_run(opened_host):
    async with opened_host() as host:
        session = (await host.call("kiro_session_create"))["session_id"]
        stages = [stage("a", f"/permission {QUESTION}")]
        run = (await host.call("kiro_crew_run", stages=stages, session_id=session))["run"]
        found = await host.call("kiro_crew_status", run=run, timeout_s=20)
        question = found["question"]
        assert (found["is_done"], question["title"]) == (False, f"{run[:8]}/a: shell")
        yes = next(option["id"] for option in question["options"] if option["kind"] == "allow_once")
        answered = await host.call("kiro_permission_answer", question_id=question["question_id"], option_id=yes)
        assert answered["session_id"] == session
        assert (await ended(host, run))["outcome"] == "succeeded"


async def test_without_a_session_nobody_is_asked_and_the_answer_is_no(opened_host):
    async with opened_host() as host:
        run = (await host.call("kiro_crew_run", stages=[stage("a", f"/permission {QUESTION}")]))["run"]
        found = await ended(host, run)
        assert "question" not in found
        assert results(found) == {"a": "Permission: reject_once."}


async def test_a_run_below_a_session_works_in_its_folder(opened_host, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    async with opened_host() as host:
        session = (await host.call("kiro_session_create", working_directory=str(other)))["session_id"]
        run = (await host.call("kiro_crew_run", stages=[stage("a", "/echo x")], session_id=session))["run"]
        await ended(host, run)
        assert (await host.desk.info(run)).cwd == str(other)
        assert (await host.desk.info(run)).parent == session


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        ({}, "INVALID_COMMAND", "crew, stages or task"),
        ({"crew": {"name": "x"}, "stages": [{}]}, "INVALID_COMMAND", "not both"),
        ({"stages": [{"id": "a", "prompt": "{x}"}]}, "INVALID_CONFIG", "stages.0.prompt"),
        ({"stages": [stage("a", "x")], "cwd": "/no/such"}, "INVALID_CONFIG", "/no/such"),
        ({"stages": [stage("a", "x")], "engine": "nope"}, "KIRO_CLI_NOT_FOUND", "nope"),
        ({"stages": [stage("a", "x")], "session_id": "nope"}, "SESSION_NOT_FOUND", "nope"),
    ],
)
async def test_a_run_that_cannot_begin_says_why(opened_host, arguments, code, says):
    async with opened_host() as host:
        told = await host.fails("kiro_crew_run", **arguments)
        assert (told["code"], says in told["message"] + told["hint"]) == (code, True)


@pytest.mark.parametrize("tool", ["kiro_crew_status", "kiro_crew_cancel"])
async def test_what_is_no_run_is_not_found(opened_host, tool):
    async with opened_host() as host:
        session = (await host.call("kiro_session_create"))["session_id"]
        for run in ("nope", session):
            told = await host.fails(tool, run=run)
            assert (told["code"], told["details"].get("run")) == ("SESSION_NOT_FOUND", run)


def test_a_question_ends_a_wait_and_an_activity_does_not():
    stands = RunState("r", "x", "running", "s1", is_driven=True, stages=[])
    assert not stands.interrupts("")
    assert not stands.interrupts("s1")
    assert stands.interrupts("s0")
