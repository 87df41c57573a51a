"""Every question of an agent passes one policy, whoever is at the session and however it came about."""

import json
import sys
from pathlib import Path

import anyio
import pytest

from kiro_core.errors import EngineUnguarded, SessionNotFound
from kiro_core.frames import Frame
from kiro_core.testing import RecordingClient
from kiro_core.types import PeerInfo

sys.path.append(str(Path(__file__).parents[1] / "policy"))

from cases import CALLS, CONFIGS, SERVERS, make_folder

OPTIONS = [
    {"optionId": "once", "name": "Once", "kind": "allow_once"},
    {"optionId": "always", "name": "Always", "kind": "allow_always"},
    {"optionId": "no", "name": "No", "kind": "reject_once"},
    {"optionId": "never", "name": "Never", "kind": "reject_always"},
]
ASKING = f"""
for call in json.loads(got['session/prompt']['prompt'][-1]['text']):
    params = {{'sessionId': 's', 'toolCall': call, 'options': {OPTIONS!r}}}
    say(id=call['toolCallId'], method='session/request_permission', params=params)
    answer = json.loads(sys.stdin.readline())
    tell(json.dumps(answer.get('result')) + chr(10))
"""
LOADING = 'json.loads(\'{"agentCapabilities": {"loadSession": true}}\')'
NAMES = {"tools": {"{tool}": "{tool}", "@{server}/{tool}": "@{server}/{tool}"}, "told": {"name": ["title"]}}
SHELL = {"toolCallId": "t1", "title": "shell", "kind": "execute", "rawInput": {"command": "make check"}}


@pytest.fixture
def written(home):
    """Write an agent configuration of the user's own, which nobody has to trust."""

    def write(name, **fields):
        (home / "agents").mkdir(parents=True, exist_ok=True)
        (home / "agents" / f"{name}.json").write_text(json.dumps({"name": name, **fields}))

    return write


@pytest.fixture
def asking(scripted):
    """An engine that asks before each call that its prompt lists, and comes back with its session."""
    # It replays something when it loads: a history that never comes is waited for.
    code = {"initialize": f"answers['initialize'].update({LOADING})", "load": "tell('before')", "prompt": ASKING}
    return {"asking": {**scripted(**code), **NAMES}}


def choosing(option):
    async def answer(_):
        return Frame.answer({"outcome": {"outcome": "selected", "optionId": option}})

    return answer


async def nobody(_):
    return Frame.failure(-32601, "Nobody is here.")


async def ask(office, session, *calls):
    """The agent asks about these calls; the ids of the options that it got."""
    before = len(office.client.text(session))
    response = await office.prompt(session, json.dumps(calls))
    assert response.result["stopReason"] == "end_turn"
    said = [json.loads(line) for line in office.client.text(session)[before:].splitlines() if line.startswith("{")]
    return [answer["outcome"].get("optionId") for answer in said]


async def decisions(office, session):
    return [entry.value for entry in await office.entries(session, "decision")]


@pytest.mark.parametrize("config", CONFIGS)
async def test_main_child_headless_and_resumed_sessions_decide_alike(opened_desk, written, asking, tmp_path, config):
    make_folder(tmp_path)
    entries = {
        name: {"command": "x", "disabledTools": disabled, "autoApprove": approved}
        for name, (disabled, approved) in SERVERS.items()
    }
    written("case", mcpServers=entries, **CONFIGS[config])
    calls = [{**call, "toolCallId": name} for name, call in CALLS.items()]

    async def decided(office, session):
        await ask(office, session, *calls)
        found = (await decisions(office, session))[-len(calls) :]
        return {each["toolCallId"]: (each["effect"], each["outcome"], each.get("rule")) for each in found}

    desk = {"engine_settings": asking, "engine": "asking", "agent": "case"}
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(answer=choosing("no")), **desk) as office:
            main = await office.start()
            expected = await decided(office, main)
            assert len(expected) == len(CALLS)
            child = await office.start(parent=main)
            assert await decided(office, child) == expected
        async with opened_desk(RecordingClient(PeerInfo("script"), answer=nobody), **desk) as office:
            assert await decided(office, await office.start()) == expected
            for session in (main, child):
                await office.load(session)
                assert await decided(office, session) == expected


async def test_a_rule_that_allows_answers_at_once_and_one_that_denies_says_why(opened_desk, written, asking):
    settings = {"shell": {"allowedCommands": ["make .*"], "deniedCommands": ["rm .*"]}}
    written("careful", toolsSettings=settings)
    client = RecordingClient()
    removing = {**SHELL, "toolCallId": "t2", "rawInput": {"command": "rm -r build"}}
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings=asking, engine="asking", agent="careful") as office:
            session = await office.start()
            assert await ask(office, session, SHELL, removing) == ["once", "no"]
            assert client.questions == []
            allowed, denied = await decisions(office, session)
            assert (allowed["outcome"], allowed["by"], allowed["command"]) == ("allowed", "policy", "make check")
            assert (denied["outcome"], denied["origin"]) == ("denied", "agent")
            assert "rm .*" in denied["rule"]
            assert "Not allowed: shell." in client.text(session)


async def test_an_answer_for_always_holds_for_the_session_also_when_it_comes_back(opened_desk, asking):
    desk = {"engine_settings": asking, "engine": "asking"}
    client = RecordingClient(answer=choosing("always"))
    with anyio.fail_after(30):
        async with opened_desk(client, **desk) as office:
            session = await office.start()
            assert await ask(office, session, SHELL) == ["always"]
            assert await ask(office, session, SHELL) == ["once"]
            assert len(client.questions) == 1
            other = {**SHELL, "rawInput": {"command": "make install"}}
            assert await ask(office, session, other) == ["always"]
            assert len(client.questions) == 2
        async with opened_desk(RecordingClient(answer=choosing("no")), **desk) as office:
            await office.load(session)
            assert await ask(office, session, SHELL) == ["once"]
            assert (await decisions(office, session))[-1]["origin"] == "client"


async def test_a_child_asks_the_clients_of_its_parent_when_it_has_none(opened_desk, asking):
    desk = {"engine_settings": asking, "engine": "asking"}
    client = RecordingClient(answer=choosing("once"))
    with anyio.fail_after(30):
        async with opened_desk(client, **desk) as office:
            main = await office.start()
            other = RecordingClient(answer=nobody)
            async with office.desk.attach(other) as agent:
                params = {"cwd": str(office.cwd), "mcpServers": [], "_meta": {"kiro_core": {"parent": main}}}
                child = (await agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]
                prompt = [{"type": "text", "text": json.dumps([SHELL])}]
                turn = await agent.prompt(Frame.of("session/prompt", {"sessionId": child, "prompt": prompt}, id=0))
            await turn.settled()
            (question,) = client.questions
            assert question.session == main
            assert question.params["toolCall"]["title"] == "kiro_default: shell"
            (decision,) = await decisions(office, child)
            assert (decision["outcome"], decision["by"]) == ("allowed", "client")


async def test_a_child_is_never_wider_than_its_parent(opened_desk, written, asking):
    written("narrow", toolsSettings={"shell": {"deniedCommands": ["make .*"]}})
    written("wide", allowedTools=["shell"])
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings=asking, engine="asking", agent="narrow") as office:
            main = await office.start()
            child = await office.start(parent=main, agent="wide")
            assert await ask(office, child, SHELL) == ["no"]
        async with opened_desk(client, engine_settings=asking, engine="asking") as office:
            await office.load(child)
            assert await ask(office, child, SHELL) == ["no"]
            with pytest.raises(SessionNotFound):
                await office.start(parent="00000000-0000-4000-8000-000000000000")


@pytest.mark.parametrize("asks", [False, True], ids=["never asks", "mode"])
async def test_an_engine_that_does_not_ask_has_no_session_whose_rules_it_would_pass_by(
    opened_desk, written, scripted, asks
):
    written("strict", toolsSettings={"shell": {"deniedCommands": ["rm .*"]}})
    written("easy", allowedTools=["shell"])
    modes = {"currentModeId": "yolo", "availableModes": [{"id": "yolo", "name": "Yolo"}]}
    call = {"sessionUpdate": "tool_call", "toolCallId": "t", "title": "shell", "kind": "execute"}
    call |= {"status": "in_progress", "rawInput": {"command": "rm -r build"}}
    code = {"prompt": f"update(**{call!r})", "new": f"answers['session/new'].update(modes={modes!r})" if asks else ""}
    engine = {**scripted(**code), **NAMES, **({"unguarded": ["yolo"]} if asks else {"asks": False})}
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x") as office:
            with pytest.raises(EngineUnguarded, match="would not hold"):
                await office.start(agent="strict")
            await office.start(agent="easy")
        async with opened_desk(client, engine_settings={"x": engine}, engine="x", allow_unguarded=True) as office:
            session = await office.start(agent="strict")
            await office.prompt(session, "go")
            (passed,) = await office.entries(session, "unguarded")
            assert (passed.value["outcome"], passed.value["effect"]) == ("unguarded", "deny")
            assert "Unguarded: x asked nobody before this: shell" in client.text(session)


async def test_what_an_asking_engine_does_unasked_against_a_rule_is_told(opened_desk, written, scripted):
    written("strict", toolsSettings={"read": {"deniedPaths": ["secrets"]}})
    call = {"sessionUpdate": "tool_call", "toolCallId": "t", "title": "read", "kind": "read", "status": "completed"}
    reads = [f"update(**{ {**call, 'toolCallId': path, 'rawInput': {'path': path}}!r})" for path in ("a", "secrets/b")]
    client = RecordingClient()
    engine = {**scripted(prompt="\n".join(reads)), **NAMES}
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x", agent="strict") as office:
            session = await office.start()
            await office.prompt(session, "go")
            (passed,) = await office.entries(session, "unguarded")
            assert passed.value["toolCallId"] == "secrets/b"


async def test_files_and_commands_that_the_desk_serves_obey_the_policy(opened_desk, written, tmp_path):
    settings = {"read": {"deniedPaths": ["secrets"]}, "write": {"deniedPaths": ["*.lock"]}}
    written("strict", toolsSettings={**settings, "shell": {"deniedCommands": ["touch .*"]}})
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text("hidden")
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, agent="strict") as office:
            session = await office.start()
            for directive in ("/read secrets/key", "/write a.lock text", "/run touch owned"):
                await office.prompt(session, directive)
            assert "hidden" not in client.text(session)
            assert not {"a.lock", "owned"} & {path.name for path in tmp_path.iterdir()}
            assert [each["outcome"] for each in await decisions(office, session)] == ["denied"] * 3
            assert client.questions == []


@pytest.mark.parametrize("trust", [["*"], ["shell"], []])
async def test_trust_of_tools_that_a_request_brings_goes_below_what_is_denied(opened_desk, written, asking, trust):
    written("strict", allowedTools=["web_fetch"], toolsSettings={"shell": {"deniedCommands": ["rm .*"]}})
    removing = {**SHELL, "toolCallId": "t2", "rawInput": {"command": "rm -r build"}}
    fetching = {"toolCallId": "t3", "title": "web_fetch", "kind": "fetch", "rawInput": {"url": "https://example.com"}}
    with anyio.fail_after(30):
        client = RecordingClient(answer=choosing("no"))
        async with opened_desk(client, engine_settings=asking, engine="asking", agent="strict") as office:
            session = await office.start(trustTools=trust)
            got = await ask(office, session, SHELL, removing, fetching)
            assert got == ["once" if trust else "no", "no", "once" if trust == ["*"] else "no"]


async def test_the_rehearsal_agent_asks_about_any_tool_call_that_it_is_told(opened_desk, written):
    written("careful", toolsSettings={"shell": {"allowedCommands": ["make .*"], "deniedCommands": ["rm .*"]}})
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(answer=choosing("no")), agent="careful") as office:
            session = await office.start()
            for command in ("make check", "rm -r build", "ls"):
                call = {"title": "shell", "kind": "execute", "rawInput": {"command": command}}
                await office.prompt(session, f"/permission {json.dumps(call)}")
            assert [each["effect"] for each in await decisions(office, session)] == ["allow", "deny", "ask"]


async def test_a_command_whose_environment_an_agent_chooses_is_allowed_by_no_pattern(opened_desk, written, scripted):
    written("careful", toolsSettings={"shell": {"allowedCommands": ["ls"]}})
    params = {"sessionId": "s", "command": "ls", "env": [{"name": "PATH", "value": "/evil"}]}
    code = f"say(id='q', method='terminal/create', params={params!r})\ntell(sys.stdin.readline())"
    client = RecordingClient(answer=choosing("reject_once"))
    with anyio.fail_after(30):
        async with opened_desk(
            client, engine_settings={"x": scripted(prompt=code)}, engine="x", agent="careful"
        ) as office:
            session = await office.start()
            await office.prompt(session, "go")
            assert len(client.questions) == 1
            assert "was not allowed" in client.text(session)
            assert "/evil" not in json.dumps(await decisions(office, session))


async def test_an_answer_for_always_is_kept_here_where_something_is_denied(opened_desk, written, asking):
    written("strict", toolsSettings={"shell": {"deniedCommands": ["rm .*"]}})
    client = RecordingClient(answer=choosing("always"))
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings=asking, engine="asking", agent="strict") as office:
            session = await office.start()
            assert await ask(office, session, SHELL, SHELL) == ["once", "once"]
            assert len(client.questions) == 1


async def test_an_agent_that_stops_asking_by_itself_is_brought_back_where_something_is_denied(
    opened_desk, written, scripted
):
    written("strict", toolsSettings={"shell": {"deniedCommands": ["rm .*"]}})
    modes = {"currentModeId": "ask", "availableModes": [{"id": "ask", "name": "Ask"}, {"id": "yolo", "name": "Yolo"}]}
    code = "update(sessionUpdate='current_mode_update', currentModeId='yolo')\ntell(str(got.get('session/set_mode')))"
    engine = {**scripted(new=f"answers['session/new'].update(modes={modes!r})", prompt=code), "unguarded": ["yolo"]}
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": engine}, engine="x", agent="strict") as office:
            session = await office.start()
            await office.prompt(session, "go")
            assert "has changed to the mode 'yolo' by itself" in client.text(session)
            await office.prompt(session, "again")
            assert "'modeId': 'ask'" in client.text(session)


async def test_a_swap_to_a_stricter_agent_is_refused_by_an_engine_that_does_not_ask(opened_desk, written, scripted):
    written("strict", toolsSettings={"shell": {"deniedCommands": ["rm .*"]}})
    written("easy")
    engine = {**scripted(), "asks": False}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x", agent="easy") as office:
            session = await office.start()
            with pytest.raises(EngineUnguarded):
                await office.set(session, "agent", "strict")
            assert (await office.desk.info(session)).agent == "easy"


async def test_a_swap_that_forbids_something_starts_an_engine_so_that_it_asks(opened_desk, written, scripted):
    written("strict", toolsSettings={"shell": {"deniedCommands": ["rm .*"]}})
    written("easy")
    engine = {**scripted(prompt="tell(str(os.environ.get('ASK')))"), "guard": {"ASK": "everything"}}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x", agent="easy") as office:
            session = await office.start()
            await office.prompt(session, "go")
            await office.set(session, "agent", "strict")
            await office.prompt(session, "go")
            assert office.client.text(session).startswith("None")
            assert office.client.text(session).endswith("everything")


async def test_a_second_call_under_the_id_of_one_that_is_over_is_a_call_of_its_own(opened_desk, written, scripted):
    written("strict", toolsSettings={"shell": {"allowedCommands": ["make .*"], "deniedCommands": ["rm .*"]}})
    removing = {**SHELL, "rawInput": {"command": "rm -r build"}, "status": "in_progress"}
    code = f"""
say(id='q', method='session/request_permission', params={ {"sessionId": "s", "toolCall": SHELL, "options": OPTIONS}!r})
sys.stdin.readline()
update(sessionUpdate='tool_call', **{ {**SHELL, "status": "completed"}!r})
update(sessionUpdate='tool_call', **{removing!r})
"""
    client = RecordingClient()
    desk = {"engine_settings": {"x": {**scripted(prompt=code), **NAMES}}, "engine": "x", "agent": "strict"}
    with anyio.fail_after(30):
        async with opened_desk(client, **desk) as office:
            session = await office.start()
            await office.prompt(session, "go")
            (passed,) = await office.entries(session, "unguarded")
            assert passed.value["command"] == "rm -r build"


async def test_an_engine_that_does_not_ask_is_refused_before_the_old_one_is_ended(opened_desk, written, scripted):
    written("strict", toolsSettings={"shell": {"deniedCommands": ["rm .*"]}})
    engines = {"x": scripted(), "y": {**scripted(), "asks": False}}
    desk = {"engine_settings": engines, "engine": "x", "agent": "strict"}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), **desk) as office:
            session = await office.start()
            with pytest.raises(EngineUnguarded):
                await office.set(session, "engine", "y")
            assert await office.entries(session, "process_ended") == []


async def test_who_is_asked_is_told_what_it_is_about_also_where_the_agent_told_that_elsewhere(opened_desk, scripted):
    announced = {**SHELL, "sessionUpdate": "tool_call", "status": "pending"}
    bare = {"toolCallId": "t1", "title": "shell"}
    update = f"say(method='session/update', params={{'sessionId': 's', 'update': {announced!r}}})\n"
    asking = {"asking": {**scripted(prompt=f"{update}{ASKING}"), **NAMES}}
    asked = []

    async def seen(frame):
        asked.append(frame.params)
        return Frame.answer({"outcome": {"outcome": "cancelled"}})

    with anyio.fail_after(10):
        async with opened_desk(RecordingClient(answer=seen), engine_settings=asking, engine="asking") as office:
            session = await office.start()
            await office.prompt(session, json.dumps([bare]))
            (question,) = await office.entries(session, "question")
    assert asked[0]["_meta"]["kiro_core"] == {"tool": "shell", "about": "make check"}
    assert asked[0]["toolCall"] == bare
    assert "_meta" not in question.value
