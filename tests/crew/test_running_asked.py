"""What the agents of a run ask, and what binds them: whoever stands above the run decides, and else who began it."""

import json

import anyio
import pytest
from crew_office import found, scripted, stage

from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo, SessionId

OPTIONS = [{"optionId": name, "name": name, "kind": name} for name in ("allow_once", "reject_once")]
MAKE = {"toolCallId": "t1", "title": "shell", "kind": "execute", "rawInput": {"command": "make"}}
ASKING = f"""
params = {{'sessionId': 's', 'toolCall': {MAKE!r}, 'options': {OPTIONS!r}}}
say(id='q', method='session/request_permission', params=params)
tell(json.dumps(json.loads(sys.stdin.readline())['result']['outcome'].get('optionId')))
"""
ENGINE = {**scripted(prompt=ASKING), "tools": {"{tool}": "{tool}"}, "told": {"name": ["title"]}}


@pytest.fixture
def written(home):
    """Write the user's own agent configurations."""
    (home / "agents").mkdir(parents=True)

    def write(name, **fields):
        (home / "agents" / f"{name}.json").write_text(json.dumps({"name": name, **fields}))

    return write


async def test_whoever_began_a_run_is_asked_under_the_id_of_the_child(opened_desk):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(engines={"x": ENGINE}, engine="x") as office:
            report = await office.finished(stage("a", "x"), client=client)
            assert found(report, "a")["result"] == '"allow_once"'
            (question,) = client.questions
            assert question.session == found(report, "a")["attempts"][0]["session"]


async def test_where_nobody_can_be_asked_the_answer_is_no(opened_desk):
    with anyio.fail_after(30):
        async with opened_desk(engines={"x": ENGINE}, engine="x") as office:
            report = await office.finished(stage("a", "x"))
            assert found(report, "a")["result"] == '"reject_once"'


async def test_the_clients_of_the_session_that_asked_for_a_run_are_asked_before_anybody_else(opened_desk):
    person, beginner = RecordingClient(PeerInfo("editor")), RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(engines={"x": ENGINE}, engine="x") as office, office.desk.attach(person) as agent:
            main = await office.start(agent)
            run = await office.begin(stage("a", "x"), client=beginner, parent=main)
            report = await office.ended(run)
            assert found(report, "a")["result"] == '"allow_once"'
            (question,) = person.questions
            assert question.session == main
            assert question.params["toolCall"]["title"].startswith(f"{run[:8]}/a: ")
            assert beginner.questions == []


async def test_a_person_who_has_joined_a_child_is_asked_there(opened_desk):
    person = RecordingClient(PeerInfo("editor"))
    waits = f"import pathlib\nwhile not pathlib.Path(opening['cwd'], 'go').exists(): time.sleep(0.01)\n{ASKING}"
    with anyio.fail_after(30):
        async with (
            opened_desk(engines={"x": {**ENGINE, **scripted(prompt=waits)}}, engine="x") as office,
            office.desk.attach(person) as agent,
        ):
            run = await office.begin(stage("a", "x"))
            child = (await office.until(run, lambda view: view.stages[0].session)).stages[0].session
            params = {"sessionId": child, "cwd": str(office.cwd), "mcpServers": []}
            await agent.open(Frame.of("session/resume", params, id=0), replay=False)
            (office.cwd / "go").touch()
            await person.until(lambda client: client.questions)
            await office.until(run, lambda view: view.stages[0].outcome)
            assert found(await office.crew.report(run), "a")["result"] == '"allow_once"'


async def test_a_child_may_not_do_what_the_session_that_asked_for_the_run_may_not(opened_desk, written):
    written("narrow", toolsSettings={"shell": {"deniedCommands": ["make.*"]}})
    written("wide", allowedTools=["shell"])
    person = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(engines={"x": ENGINE}, engine="x") as office, office.desk.attach(person) as agent:
            meta = {"_meta": {"kiro_core": {"agent": "narrow"}}}
            params = {"cwd": str(office.cwd), "mcpServers": [], **meta}
            main = (await agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]
            report = await office.finished(stage("a", "x", agent="wide"), parent=main)
            assert found(report, "a")["result"] == '"reject_once"'
            child = found(report, "a")["attempts"][0]["session"]
            await office.desk.delete(SessionId(report["run"]))
            resumed = {"sessionId": child, "cwd": str(office.cwd), "mcpServers": []}
            await agent.open(Frame.of("session/load", resumed, id=0), replay=False)
            assert office.desk.live[child].plan.policy.guards, "also when the run between them is gone"
            assert person.questions == []


async def test_a_run_itself_binds_nobody(opened_desk, written):
    written("wide", allowedTools=["shell"])
    with anyio.fail_after(30):
        async with opened_desk(engines={"x": ENGINE}, engine="x") as office:
            report = await office.finished(stage("a", "x", agent="wide"))
            assert found(report, "a")["result"] == '"allow_once"'
