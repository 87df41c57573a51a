"""What Kiro's clients ask of a crew, and what they are told of it, in Kiro's own words."""

import anyio
import pytest
from company import SAYS, SLEEPS, company
from crew_office import scripted, stage

from kiro_core.errors import CrewRefused, ObserverOnly, RpcError, SessionNotFound
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient

pytestmark = pytest.mark.usefixtures("home")
LIST, ACTIVITY = "_kiro.dev/subagent/list_update", "_kiro.dev/session/activity"


def lists(client):
    return [frame.params for frame in client.frames if frame.method == LIST]


def statuses(params):
    return {each["sessionName"]: each["status"]["type"] for each in params["subagents"]}


async def ask(here, method, session, agent=None, **params):
    return (await (agent or here.agent).call(Frame.of(method, {"sessionId": session, **params}, id=0))).result


@pytest.mark.parametrize("prefix", ["_", "_kiro.dev/"])
async def test_a_client_spawns_a_member_and_writes_to_it(opened_desk, tmp_path, prefix):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            asked = {"task": f"{SAYS}one", "name": "Ada", "agentName": "kiro_default"}
            answer = await ask(here, f"{prefix}session/spawn", here.main, **asked)
            ada = await here.crew.status(here.main, "Ada")
            assert answer == {"sessionId": ada.session, "name": "Ada"}
            assert ada.persistent
            await here.settled("Ada")
            blocks = [{"type": "text", "text": "/tool Look"}, {"type": "text", "text": "/echo woken"}]
            assert await ask(here, f"{prefix}message/send", ada.session, content=blocks) == {"ok": True}
            await here.client.until(lambda client: client.text(ada.session).endswith("woken"))


async def test_what_cannot_be_done_is_never_answered_with_ok(opened_desk, tmp_path):
    watcher = RecordingClient()
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here, here.desk.attach(watcher) as agent:
            nobody = "00000000-0000-4000-8000-000000000000"
            with pytest.raises(SessionNotFound):
                await ask(here, "_message/send", nobody, content="x")
            with pytest.raises(SessionNotFound):
                await ask(here, "_session/spawn", nobody, task="x")
            run = await here.crew.run({"name": "t", "stages": [stage("a", "/echo a")]}, cwd=tmp_path)
            with pytest.raises(CrewRefused, match="reads nothing"):
                await ask(here, "_message/send", run, content="x")
            for params in ({}, {"content": 7}, {"content": [7]}):
                with pytest.raises(RpcError):
                    await ask(here, "_message/send", here.main, **params)
            with pytest.raises(RpcError):
                await ask(here, "_session/spawn", here.main, name="Ada")
            with pytest.raises(CrewRefused):
                await ask(here, "_message/send", here.main, content=" ")
            meta = {"_meta": {"kiro_core": {"role": "observer"}}}
            opening = {"sessionId": here.main, "cwd": str(tmp_path), "mcpServers": [], **meta}
            await agent.open(Frame.of("session/resume", opening, id=0), replay=False)
            with pytest.raises(ObserverOnly):
                await ask(here, "_message/send", here.main, agent, content="x")
            with pytest.raises(ObserverOnly):
                await ask(here, "_session/spawn", here.main, agent, task="x")


async def test_clients_are_told_who_is_in_the_tree_whenever_that_changes(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            await here.spawn(SLEEPS, name="Ada", role="reader", group="team")
            ada = await here.working("Ada")
            await here.spawn("x", name="Bruno", by=ada.session, depends_on=[], persistent=True)
            await here.settled("Bruno", by=ada.session)
            await here.client.until(lambda client: statuses(lists(client)[-1]).get("Bruno") == "awaitingInstruction")
            first = lists(here.client)[-1]["subagents"][0]
            assert first == {
                "sessionId": ada.session,
                "sessionName": "Ada",
                "agentName": "",
                "initialQuery": SLEEPS,
                "status": {"type": "working"},
                "group": "team",
                "role": "reader",
                "dependsOn": [],
            }
            await here.crew.end(here.main, "Ada")
            ended = {"Ada": "terminated", "Bruno": "terminated"}
            await here.client.until(lambda client: statuses(lists(client)[-1]) == ended)
            assert all(one != other for one, other in zip(lists(here.client), lists(here.client)[1:], strict=False))
            acts = [frame.params for frame in here.client.frames if frame.method == ACTIVITY]
            assert [(each["type"], each["sessionName"]) for each in acts if each["type"] == "spawned"] == [
                ("spawned", "Ada"),
                ("spawned", "Bruno"),
            ]


async def test_the_stages_of_a_run_for_which_a_session_asked_are_among_them(opened_desk, tmp_path):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            stages = [stage("a", SLEEPS), stage("b", "/echo x", "a")]
            crew = {"name": "notes", "stages": stages}
            run = await here.crew.run(crew, cwd=tmp_path, parent=here.main)
            await here.client.until(lambda client: lists(client) and "a" in statuses(lists(client)[-1]))
            told = lists(here.client)[-1]
            assert [(each["name"], each["group"], each["dependsOn"]) for each in told["pendingStages"]] == [
                ("b", "notes", ["a"])
            ]
            await here.crew.cancel(run)
            await here.client.until(lambda client: lists(client)[-1] == {**told, "subagents": [], "pendingStages": []})


async def test_a_session_that_everybody_has_left_stays_while_its_members_work(opened_desk, tmp_path):
    goes = "import pathlib\nwhile not pathlib.Path(opening['cwd'], 'go').exists(): time.sleep(0.01)\ntell('late')"
    limits = {"linger_s": 0}
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path, engines={"x": scripted(prompt=goes)}, limits=limits) as here:
            await here.spawn("x", name="Ada", engine="x")
            ada = await here.working("Ada")
            main = here.desk.live[here.main]
            main.clients.leave(here.client)
            await anyio.wait_all_tasks_blocked()
            assert main.ready
            (tmp_path / "go").touch()
            await main.ended.wait()
            assert await here.results(ada.session) == [("succeeded", "late")]
            assert await here.kept() == {"Ada": "succeeded"}


@pytest.mark.parametrize("method", ["_session/terminate", "_kiro.dev/session/terminate"])
async def test_who_terminates_a_member_ends_it_and_is_told(opened_desk, tmp_path, method):
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here:
            await ask(here, "_session/spawn", here.main, task=f"{SAYS}one", name="Ada")
            (ada,) = await here.settled("Ada")
            assert ada.status == "idle"
            assert await ask(here, method, ada.session) == {}
            assert ada.session not in here.desk.live
            await here.client.until(lambda client: statuses(lists(client)[-1]) == {"Ada": "terminated"})
            with pytest.raises(CrewRefused):
                await here.crew.send(here.main, "Ada", "x")


async def test_who_joins_later_is_told_who_is_there(opened_desk, tmp_path):
    late = RecordingClient()
    with anyio.fail_after(30):
        async with company(opened_desk, tmp_path) as here, here.desk.attach(late) as agent:
            await here.spawn(SLEEPS, name="Ada")
            await here.working("Ada")
            await here.client.until(lists)
            opening = {"sessionId": here.main, "cwd": str(tmp_path), "mcpServers": []}
            await agent.open(Frame.of("session/load", opening, id=0), replay=True)
            await late.until(lambda client: lists(client) and statuses(lists(client)[-1]) == {"Ada": "working"})
