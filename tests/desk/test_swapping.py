"""A conversation goes on with another engine or agent configuration: all of it takes effect, or the old one is back."""

import json
from contextlib import asynccontextmanager

import anyio
import pytest

from kiro_core import Provider, hookimpl
from kiro_core.errors import EngineNotFound, LaunchFailed, RpcError, SessionBusy
from kiro_core.testing import RecordingClient

TOLD = "tell(json.dumps([b['text'] for b in got['session/prompt']['prompt']]))"
MODELS = {"currentModelId": "m1", "availableModels": [{"modelId": "m1", "name": "One"}]}
HANGING = "tell('working')\nos.read(0, 0)\nimport select\nwhile not os.path.exists(FLAG): time.sleep(0.01)"
DEAD = {"command": ["/bin/sh", "-c", "echo ouch >&2; exit 3"]}


def agents(folder, **fields):
    (folder / ".kiro" / "agents").mkdir(parents=True)
    for name, more in fields.items():
        (folder / ".kiro" / "agents" / f"{name}.json").write_text(json.dumps({"name": name, **more}))


async def prompt(office, session, text):
    """The blocks of text that the scripted agent got for a prompt."""
    before = len(office.client.text(session))
    response = await office.prompt(session, text)
    assert response.result["stopReason"] == "end_turn"
    said = office.client.text(session)[before:]
    return json.loads(said[said.index('["') :])


async def test_a_conversation_goes_on_with_another_engine_and_comes_back(opened_desk, scripted):
    engines = {"x": {**scripted(prompt=TOLD), "title": "Ex"}, "y": {**scripted(prompt=TOLD), "title": "Why"}}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x") as office:
            session = await office.start()
            assert await prompt(office, session, "remember 42") == ["remember 42"]
            assert (await office.set(session, "engine", "y"))["engine"]["currentValue"] == "y"
            conversation, asked = await prompt(office, session, "and now?")
            assert "> remember 42" in conversation
            assert asked == "and now?"
            assert await prompt(office, session, "still") == ["still"]
            await office.set(session, "engine", "x")
            conversation, _ = await prompt(office, session, "back")
            assert (
                conversation.index("> remember 42") < conversation.index("> and now?") < conversation.index("> still")
            )
            steps = [entry.value for entry in await office.entries(session, "context_reset")]
            assert [step["reason"] for step in steps] == ["it goes on in place of x", "it goes on in place of y"]
            assert steps[0]["lost"] == ["the thoughts", "what tools printed"]
            assert "without the thoughts and what tools printed" in office.client.text(session)
            assert (await office.desk.info(session)).engine == "x"


async def test_a_change_of_engine_waits_for_the_turn_that_runs_and_goes_before_the_next(
    opened_desk, scripted, tmp_path
):
    flag = tmp_path / "flag"
    engines = {"x": scripted(prompt=HANGING.replace("FLAG", repr(str(flag)))), "y": scripted(prompt=TOLD)}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x") as office:
            session = await office.start()
            first = await office.ask(session, "one")
            while "working" not in office.client.text(session):
                await anyio.lowlevel.checkpoint()
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(office.set, session, "engine", "y")
                await anyio.wait_all_tasks_blocked()
                second = await office.ask(session, "two")
                assert not office.desk.live[session].moving
                flag.touch()
                assert (await first.settled()).result["stopReason"] == "end_turn"
                assert (await second.settled()).result["stopReason"] == "end_turn"
            said = office.client.text(session)
            assert json.loads(said[said.index('["') :])[1] == "two"
            assert (await office.desk.info(session)).engine == "y"


async def test_a_change_while_a_turn_runs_can_be_refused_by_a_setting(opened_desk, scripted, tmp_path):
    flag = tmp_path / "flag"
    engines = {"x": scripted(prompt=HANGING.replace("FLAG", repr(str(flag)))), "y": scripted()}
    settings = {"engine_settings": engines, "engine": "x", "swap_when_busy": "refuse"}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), **settings) as office:
            session = await office.start()
            turn = await office.ask(session, "one")
            while "working" not in office.client.text(session):
                await anyio.lowlevel.checkpoint()
            with pytest.raises(SessionBusy, match="A turn is running"):
                await office.set(session, "engine", "y")
            flag.touch()
            await turn.settled()
            await office.set(session, "engine", "y")


async def test_an_engine_that_does_not_start_costs_the_old_one_nothing(opened_desk, scripted):
    engines = {"x": scripted(prompt=TOLD), "dead": DEAD}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "remember 42")
            with pytest.raises(LaunchFailed, match="status 3"):
                await office.set(session, "engine", "dead")
            assert (await office.desk.info(session)).engine == "x"
            assert await office.entries(session, "process_ended", "context_reset") == []
            assert await prompt(office, session, "still there?") == ["still there?"]


@pytest.mark.parametrize("comes_back", ["load", "text"])
async def test_an_engine_that_refuses_the_session_leaves_it_with_the_old_one(
    opened_desk, scripted, tmp_path, comes_back
):
    agents(tmp_path, strict={"prompt": "Be strict."})
    options = ["--memory", str(tmp_path / "memory")] if comes_back == "load" else []
    refusing = {"y": scripted(new="refuse(-32603, 'not today')")}
    with anyio.fail_after(30):
        async with opened_desk(
            RecordingClient(), engines={"x": options}, engine_settings=refusing, engine="x", agent="strict"
        ) as office:
            session = await office.start()
            await office.prompt(session, "remember 42")
            with pytest.raises(RpcError, match="not today"):
                await office.set(session, "engine", "y")
            assert (await office.desk.info(session)).engine == "x"
            before = len(office.client.text(session))
            await office.prompt(session, "still there?")
            assert ("Be strict." in office.client.text(session)[before:]) == (comes_back == "text")


async def test_a_session_whose_engine_is_gone_goes_on_with_another(opened_desk, scripted):
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": scripted()}, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "remember 42")
        engines = {"x": {"command": ["/nowhere/x"]}, "y": scripted(prompt=TOLD)}
        async with opened_desk(client, engine_settings=engines, engine="y") as office:
            await office.load(session)
            with pytest.raises(EngineNotFound):
                await office.prompt(session, "still there?")
            with pytest.raises(EngineNotFound):
                await office.set(session, "engine", "x")
            await office.set(session, "engine", "y")
            conversation, asked = await prompt(office, session, "and now?")
            assert "> remember 42" in conversation
            assert asked == "and now?"


async def test_an_engine_that_keeps_ending_can_be_left_for_another(opened_desk, scripted):
    engines = {"x": scripted(prompt="os._exit(7)"), "y": scripted(prompt=TOLD)}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="x") as office:
            session = await office.start()
            assert (await office.prompt(session, "one")).failed
            await office.set(session, "engine", "y")
            conversation, asked = await prompt(office, session, "two")
            assert "> one" in conversation
            assert asked == "two"


async def test_an_agent_whose_model_is_not_taken_changes_nothing(opened_desk, scripted, tmp_path):
    agents(tmp_path, kind={"prompt": "Be kind."}, strict={"prompt": "Be strict.", "model": "m9"})
    models = f"answers['session/new'].update(models=json.loads({json.dumps(MODELS)!r}))"
    engine = scripted(new=models, prompt=TOLD, set_model="refuse(-32602, 'no such model')")
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x", agent="kind") as office:
            session = await office.start()
            with pytest.raises(RpcError, match="no such model"):
                await office.set(session, "agent", "strict")
            assert (await office.desk.info(session)).agent == "kind"
            assert await prompt(office, session, "hello") == ["Be kind.", "hello"]


async def test_another_agent_brings_its_mcp_servers_and_permissions_and_takes_them_away(opened_desk, scripted, home):
    servers = {"docs": {"command": "docs-server"}}
    agents(home.parent, strict={"mcpServers": servers, "toolsSettings": {"shell": {"deniedCommands": [".*"]}}}, easy={})
    code = "tell(json.dumps(['server ' + s['name'] for s in opening['mcpServers']]))"
    call = {"toolCallId": "t", "title": "shell", "kind": "execute", "rawInput": {"command": "make"}}
    options = [{"optionId": kind[0], "name": kind, "kind": kind} for kind in ("allow_once", "reject_once")]
    question = {"sessionId": "s", "toolCall": call, "options": options}
    code += f"""
say(id='q', method='session/request_permission', params={question!r})
tell(json.loads(sys.stdin.readline())['result']['outcome']['optionId'])"""
    engine = {**scripted(prompt=code), "tools": {"{tool}": "{tool}"}, "told": {"name": ["title"]}}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x", agent="easy") as office:
            session = await office.start()
            for agent, told in (("easy", "[]a"), ("strict", '["server docs"]r'), ("easy", "[]a")):
                await office.set(session, "agent", agent)
                before = len(office.client.text(session))
                await office.prompt(session, "go")
                said = office.client.text(session)[before:]
                assert (told[:-1] in said, said[-1]) == (True, told[-1])
            configured = [entry.value for entry in await office.entries(session, "configured")]
            assert [each["mcpServers"] for each in configured] == [[], ["docs"], []]


async def test_the_model_of_another_agent_is_set_and_kept(opened_desk, scripted, tmp_path):
    agents(tmp_path, strict={"model": "m2"})
    models = {**MODELS, "availableModels": [{"modelId": name, "name": name} for name in ("m1", "m2")]}
    new = f"answers['session/new'].update(models=json.loads({json.dumps(models)!r}))"
    engine = scripted(new=new, prompt="tell(str(got.get('session/set_model')))")
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x") as office:
            session = await office.start()
            changed = await office.set(session, "agent", "strict")
            assert changed["model"]["currentValue"] == "m2"
            await office.prompt(session, "go")
            assert "'modelId': 'm2'" in office.client.text(session)
            assert (await office.desk.info(session)).model == "m2"


async def test_an_agent_source_that_fails_in_any_way_fails_the_change_and_not_the_session(opened_desk, scripted):
    class Team:
        async def find(self, name, cwd):
            return 1 / 0 if name == "broken" else None

        async def names(self, cwd):
            return []

        async def problems(self, cwd):
            return []

    class Plugin:
        @hookimpl
        def kiro_agents(self):
            @asynccontextmanager
            async def opened(_):
                yield Team()

            yield Provider("team", opened)

    desk = {"engine_settings": {"x": scripted(prompt=TOLD)}, "engine": "x", "agent_sources": ["team"]}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), plugins=[Plugin()], **desk) as office:
            session = await office.start()
            with pytest.raises(ZeroDivisionError):
                await office.set(session, "agent", "broken")
            assert await prompt(office, session, "hello") == ["hello"]


async def test_everybody_is_told_of_another_agent_and_gets_its_welcome(opened_desk, scripted, tmp_path):
    agents(tmp_path, strict={"prompt": "Be strict.", "welcomeMessage": "At your service."})
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": scripted(prompt=TOLD)}, engine="x") as office:
            session = await office.start()
            await office.set(session, "agent", "strict")
            assert await prompt(office, session, "hello") == ["Be strict.", "hello"]
            switched = [f for f in client.frames if f.method == "_kiro.dev/agent/switched"]
            assert [frame.params for frame in switched] == [
                {
                    "sessionId": session,
                    "agentName": "strict",
                    "previousAgentName": "kiro_default",
                    "welcomeMessage": "At your service.",
                }
            ]
            assert "At your service." in client.text(session)
            updates = [u for u in client.updates(session) if u["sessionUpdate"] == "config_option_update"]
            agent = next(o for o in updates[-1]["configOptions"] if o["id"] == "agent")
            assert agent["currentValue"] == "strict"


async def test_every_known_engine_takes_a_conversation_over_from_every_other(opened_desk, tmp_path):
    likes = ["kiro", "claude", "codex", "gemini"]
    engines = {like: ["--like", like, "--memory", str(tmp_path / like)] for like in likes}
    with anyio.fail_after(60):
        async with opened_desk(RecordingClient(), engines=engines, engine="kiro") as office:
            session = await office.start()
            await office.prompt(session, "remember 42")
            for like in [*likes[1:], "kiro"]:
                await office.set(session, "engine", like)
                response = await office.prompt(session, f"I am with {like}")
                assert response.result["stopReason"] == "end_turn"
                assert (await office.desk.info(session)).engine == like
            steps = [entry.value["to"] for entry in await office.entries(session, "context_reset")]
            assert steps == ["text"] * 4


async def test_a_prompt_that_is_one_of_our_commands_changes_the_session_and_reaches_no_agent(
    opened_desk, scripted, tmp_path
):
    agents(tmp_path, strict={"prompt": "Be strict."})
    engines = {"x": scripted(prompt=TOLD), "y": scripted(prompt=TOLD)}
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings=engines, engine="x") as office:
            session = await office.start()
            assert await prompt(office, session, "remember 42") == ["remember 42"]
            for order in ("/engine y", "/agent strict", "/agent"):
                assert (await office.prompt(session, order)).result == {"stopReason": "end_turn"}
            info = await office.desk.info(session)
            assert (info.engine, info.agent) == ("y", "strict")
            assert "Engine: y.\nAgent: strict.\nAgent: strict. There are:\n" in client.text(session)
            assert "\n* strict\n" in client.text(session)
            told = await prompt(office, session, "hello")
            assert told[0].startswith("Be strict.\n\n<conversation>")
            assert ("> remember 42" in told[0], "/engine" in told[0], told[1]) == (True, False, "hello")
            assert await prompt(office, session, "/engine nobody") == ["/engine nobody"]


async def test_a_command_of_the_agents_own_is_the_agents(opened_desk, scripted):
    commands = [{"name": "engine", "description": "its own"}]
    code = f"update(sessionUpdate='available_commands_update', availableCommands={commands!r})\n{TOLD}"
    client = RecordingClient()
    with anyio.fail_after(30):
        async with opened_desk(client, engine_settings={"x": scripted(prompt=code)}, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "hello")
            (told,) = [u for u in client.updates(session) if u["sessionUpdate"] == "available_commands_update"]
            assert [command["name"] for command in told["availableCommands"]] == ["engine", "agent"]
            assert await prompt(office, session, "/engine") == ["/engine"]
            await office.prompt(session, "/agent")
            assert "Agent: kiro_default. There are:" in client.text(session)


async def test_an_engine_with_a_place_for_a_system_prompt_is_given_the_agents_there(opened_desk, scripted, tmp_path):
    agents(tmp_path, kind={"prompt": "Be kind."}, strict={"prompt": "Be strict."})
    can = {"loadSession": True, "sessionCapabilities": {"systemPrompt": {}}}
    code = "last = got.get('session/load') or got['session/new']\ntold = last['systemPrompt']['content'][0]['text']\n"
    code += "tell(json.dumps([told, *[b['text'] for b in got['session/prompt']['prompt']]]))"
    engine = scripted(initialize=f"answers['initialize']['agentCapabilities'] = {can!r}", prompt=code)
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": engine}, engine="x", agent="kind") as office:
            session = await office.start()
            assert await prompt(office, session, "one") == ["Be kind.", "one"]
            await office.set(session, "agent", "strict")
            assert await prompt(office, session, "two") == ["Be strict.", "two"]


async def test_a_recorded_session_is_opened_with_another_engine_at_once_where_that_is_asked_for(opened_desk, scripted):
    engines = {"x": {"command": ["/nowhere/x"]}, "y": scripted(prompt=TOLD), "dead": DEAD}
    with anyio.fail_after(30):
        async with opened_desk(RecordingClient(), engine_settings={"x": scripted(prompt=TOLD)}, engine="x") as office:
            session = await office.start()
            await office.prompt(session, "remember 42")
        async with opened_desk(RecordingClient(), engine_settings=engines, engine="y") as office:
            with pytest.raises(LaunchFailed):
                await office.load(session, engine="dead")
            assert (await office.desk.info(session)).engine == "x"
            await office.load(session, engine="y")
            conversation, asked = await prompt(office, session, "and now?")
            assert "> remember 42" in conversation
            assert asked == "and now?"
            assert (await office.desk.info(session)).engine == "y"
