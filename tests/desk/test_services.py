"""What an agent asks of its client in a session: forwarded where that is offered, else served and asked first."""

import json

import anyio
import pytest

from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.testing.store_samples import stored
from kiro_core.types import PeerInfo
from kiro_files import FilesOptions, open_store

READ = "say(id=1, method='fs/read_text_file', params={'sessionId': 's', 'path': PATH});"
ANSWERED = "tell(sys.stdin.readline())"


def reading(path):
    return READ.replace("PATH", repr(str(path))) + ANSWERED


async def said(office, session):
    await office.prompt(session, "go")
    return json.loads(office.client.text(session))


def editor(*abilities, answer=None):
    return RecordingClient(PeerInfo("editor", abilities=frozenset(abilities)), **({"answer": answer} if answer else {}))


async def test_a_file_is_read_by_the_client_that_offers_it_under_its_own_id_of_the_session(
    opened_desk, scripted, tmp_path
):
    async def unsaved(_):
        return Frame.answer({"content": "unsaved"})

    client = editor("read", answer=unsaved)
    engine = scripted(prompt=reading(tmp_path / "a.txt"))
    with anyio.fail_after(20):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            assert (await said(office, session))["result"] == {"content": "unsaved"}
            assert client.questions[0].method == "fs/read_text_file"
            assert client.questions[0].session == session


async def test_a_file_is_read_from_disk_for_a_client_that_does_not_once_it_was_asked(opened_desk, scripted, tmp_path):
    (tmp_path / "a.txt").write_text("saved")
    client = editor()
    engine = scripted(prompt=reading(tmp_path / "a.txt"))
    with anyio.fail_after(20):
        asked = [{"capability": "fs_read", "effect": "ask"}]
        async with opened_desk(client, engine_settings={"x": engine}, engine="x", permissions=asked) as office:
            session = await office.start()
            assert (await said(office, session))["result"] == {"content": "saved"}
            assert [question.method for question in client.questions] == ["session/request_permission"]
            assert len(await office.entries(session, "answer")) == 1


async def test_a_file_of_the_sessions_folder_is_read_without_a_question_unless_a_rule_wants_one(
    opened_desk, scripted, tmp_path
):
    (tmp_path / "a.txt").write_text("saved")
    client = editor()
    engine = scripted(prompt=reading(tmp_path / "a.txt"))
    with anyio.fail_after(20):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            assert (await said(office, session))["result"] == {"content": "saved"}
            assert client.questions == []
            (decision,) = await office.entries(session, "decision")
            assert decision.value["outcome"] == "allowed"


async def test_additional_directories_are_the_sessions_own_and_every_other_is_not(opened_desk, scripted, tmp_path):
    for name in ("cwd", "more", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(name)
    for name, served in (("more", True), ("other", False)):
        engine = scripted(prompt=reading(tmp_path / name / "a.txt"))
        with anyio.fail_after(20):
            async with opened_desk(editor("notices"), engine_settings={"x": engine}, engine="x") as office:
                params = {"cwd": str(tmp_path / "cwd"), "additionalDirectories": [str(tmp_path / "more")]}
                session = (await office.new(params=params))["sessionId"]
                answer = await said(office, session)
                assert ("result" in answer) is served
                assert served or "other" in answer["error"]["message"]


async def test_a_command_of_the_agent_runs_here_and_its_output_is_shown_and_replayed(opened_desk, scripted):
    code = (
        "say(id=1, method='terminal/create', params={'sessionId': 's', 'command': sys.executable,"
        " 'args': ['-c', 'print(6 * 7)']});"
        "term = json.loads(sys.stdin.readline())['result']['terminalId'];"
        "update(sessionUpdate='tool_call', toolCallId='t', title='run',"
        " content=[{'type': 'terminal', 'terminalId': term}]);"
        "say(id=2, method='terminal/wait_for_exit', params={'sessionId': 's', 'terminalId': term});"
        "ended = json.loads(sys.stdin.readline())['result'];"
        "say(id=3, method='terminal/output', params={'sessionId': 's', 'terminalId': term});"
        "output = json.loads(sys.stdin.readline())['result'];"
        "say(id=4, method='terminal/release', params={'sessionId': 's', 'terminalId': term});"
        "sys.stdin.readline();"
        "tell(json.dumps([ended, output]))"
    )
    able = "answers['initialize'].update(agentCapabilities={'loadSession': True})"
    client = editor()
    engine = scripted(initialize=able, prompt=code)
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            ended, output = await said(office, session)
            assert (ended["exitCode"], output["output"], output["truncated"]) == (0, "42\n", False)
            shown = {"type": "content", "content": {"type": "text", "text": "42\n"}}
            assert [shown] in [update.get("content") for update in client.updates(session)]
            assert all("terminalId" not in json.dumps(update) for update in client.updates(session))
            await office.close(session)
            client.frames.clear()
            await office.load(session)
            replayed = [update for update in client.updates(session) if update.get("toolCallId") == "t"]
            assert replayed[0]["content"] == [shown]


@pytest.mark.parametrize(("method", "number"), [("craft/drainMidTurnQueue", -32601), ("_x/unknown", -32601)])
async def test_a_request_that_nobody_serves_is_answered(opened_desk, scripted, method, number):
    async def unknown(_):
        return Frame.failure(-32601, "no such method")

    engine = scripted(prompt=f"say(id='q', method={method!r}, params={{}}); {ANSWERED}")
    with anyio.fail_after(20):
        async with opened_desk(editor(answer=unknown), engine_settings={"x": engine}, engine="x") as office:
            answer = await said(office, await office.start())
            assert (answer["id"], answer["error"]["code"]) == ("q", number)


async def test_an_extension_request_of_the_agent_is_answered_by_the_client(opened_desk, scripted):
    async def known(frame):
        return Frame.answer({"seen": frame.params["x"]})

    engine = scripted(prompt=f"say(id=5, method='_x/ask', params={{'sessionId': 's', 'x': 1}}); {ANSWERED}")
    client = editor(answer=known)
    with anyio.fail_after(20):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            assert (await said(office, session))["result"] == {"seen": 1}
            assert client.questions[0].session == session


async def test_kiros_names_are_aliases(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session, other = await office.start(), await office.start()
            listed = (await office.agent.call(Frame.of("_kiro.dev/session/list", {}, id=0))).result
            assert {info["sessionId"] for info in listed["sessions"]} == {session, other}
            for name in ("_kiro.dev/session/terminate", "_session/terminate"):
                assert (await office.call(name, session)).result == {}
            await office.agent.notify(Frame.of("_session/terminate", {"sessionId": other}))
            assert not office.desk.live


async def test_a_prompt_may_be_called_content_as_kiros_clients_do(opened_desk):
    with anyio.fail_after(20):
        async with opened_desk(RecordingClient()) as office:
            session = await office.start()
            params = {"sessionId": session, "content": [{"type": "text", "text": "/echo hi"}]}
            turn = await office.agent.prompt(Frame.of("session/prompt", params, id=0))
            assert (await turn.settled()).result["stopReason"] == "end_turn"
            assert office.client.text(session) == "hi"


async def test_a_session_is_resumed_without_its_history_and_deleted_for_good(opened_desk, tmp_path):
    engines = {"mem": ["--memory", str(tmp_path / "memory")]}
    client = RecordingClient()
    with anyio.fail_after(20):
        async with opened_desk(client, engines=engines, engine="mem") as office:
            session = await office.start()
            await office.prompt(session, "/echo hi")
            await office.close(session)
            client.frames.clear()
            await office.load(session, replay=False)
            assert client.updates(session) == []
            assert (await office.prompt(session, "/echo still here")).result["stopReason"] == "end_turn"
            delete = Frame.of("session/delete", {"sessionId": session}, id=0)
            assert (await office.agent.delete(delete)).result == {}
            assert (await office.agent.list(Frame.of("session/list", {}, id=0))).result == {"sessions": []}
            assert (await office.agent.delete(delete)).result == {}, "a session that is gone is gone"
            assert list((tmp_path / "home").rglob(f"{session}*")) == []


async def test_a_listing_is_of_a_folder_and_comes_in_pages(opened_desk, tmp_path):
    (tmp_path / "a").mkdir()
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient()) as office:
            there = {(await office.new(params={"cwd": str(tmp_path / "a")}))["sessionId"]}
            here = {await office.start()}
            async with open_store(FilesOptions()) as store:
                here |= {(await stored(store, cwd=str(tmp_path))).id for _ in range(50)}

            async def page(**params):
                return (await office.agent.list(Frame.of("session/list", params, id=0))).result

            first = await page(cwd=str(tmp_path))
            second = await page(cwd=str(tmp_path), cursor=first["nextCursor"])
            assert len(first["sessions"]) == 50
            assert "nextCursor" not in second
            assert {info["sessionId"] for info in first["sessions"] + second["sessions"]} == here
            assert {info["sessionId"] for info in (await page(cwd=str(tmp_path / "a")))["sessions"]} == there
