"""Told to speak like kiro, the rehearsal agent has Kiro's agents, extensions and oddities on its wire."""

import json

import pytest

ASK = "session/request_permission"


@pytest.fixture
def kiro(rehearsal):
    """`with kiro(*arguments) as agent`: an agent that speaks like Kiro."""
    return lambda *arguments: rehearsal("--like", "kiro", *arguments)


def written(folder, file, text):
    agents = folder / ".kiro" / "agents"
    agents.mkdir(parents=True, exist_ok=True)
    (agents / file).write_text(text)


def test_its_modes_are_its_agents_of_the_folder_and_of_the_user(kiro, tmp_path):
    written(tmp_path / "work", "poet.json", '{"name": "rhymer"}')
    written(tmp_path / "work", "plain.json", "{}")
    written(tmp_path / "work", "broken.json", "{")
    written(tmp_path / "home", "own.json", "{}")
    with kiro() as agent:
        modes = agent.begin(tmp_path / "work").seen[-1]["result"]["modes"]
        assert modes["currentModeId"] == "kiro_default"
        names = [mode["id"] for mode in modes["availableModes"]]
        assert names == ["kiro_default", "kiro_planner", "kiro_guide", "plain", "rhymer", "own"]
        assert agent.result("session/set_mode", sessionId=agent.session, modeId="rhymer") == {}
        assert agent.code("session/set_mode", sessionId=agent.session, modeId="poet") == -32603


def test_its_modes_can_be_given(kiro):
    with kiro("--modes", "a,b") as agent:
        modes = agent.begin().seen[-1]["result"]["modes"]
        assert [mode["id"] for mode in modes["availableModes"]] == ["a", "b"]


def test_it_has_models_and_no_options_no_list_and_no_close(kiro):
    with kiro() as agent:
        opened = agent.begin().seen[-1]["result"]
        named = {"sessionId": agent.session}
        assert opened["models"]["currentModelId"] == "auto"
        assert "configOptions" not in opened
        assert agent.result("session/set_model", **named, modelId="claude-sonnet-4.5") == {}
        unknown = ("set_config_option", "list", "close", "delete", "resume")
        assert [agent.code(f"session/{verb}", **named) for verb in unknown] == [-32601] * 5


def test_its_servers_are_told_before_a_session_is_open_and_its_commands_behind(kiro):
    servers = [{"name": name, "command": "x", "args": [], "env": []} for name in ("docs", "web")]
    with kiro("--mcp", "web=late") as agent:
        agent.result("session/new", cwd="/", mcpServers=servers)
        assert [params["serverName"] for params in agent.told("_kiro.dev/mcp/server_initialized")] == ["docs"]
        available = agent.receive()
        assert available["method"] == "_kiro.dev/commands/available"
        states = {server["name"]: server["status"] for server in available["params"]["mcpServers"]}
        assert states == {"docs": "running", "web": "loading"}


def test_a_tool_call_is_announced_three_times_with_one_id_and_its_purpose(kiro):
    with kiro() as agent:
        agent.begin().ask("/tool Sweep")
        (first,) = agent.told("_kiro.dev/session/update")
        (call,), (done,) = agent.updates("tool_call"), agent.updates("tool_call_update")
    assert first["update"]["sessionUpdate"] == "tool_call_chunk"
    assert first["update"]["toolCallId"] == call["toolCallId"] == done["toolCallId"]
    assert call["rawInput"]["__tool_use_purpose"] == "Sweep"
    assert done["status"] == "completed"
    methods = [message.get("method") for message in agent.seen]
    assert methods.index("_kiro.dev/session/update") < methods.index("session/update")


def test_a_no_ends_the_turn_with_a_refusal(kiro):
    with kiro() as agent:
        agent.serves = {ASK: {"result": {"outcome": {"outcome": "selected", "optionId": "reject_once"}}}}
        assert agent.begin().ask("/permission\n/echo never")["result"]["stopReason"] == "refusal"
        assert "never" not in agent.said()


def test_metadata_is_told_before_a_turn_ends(kiro):
    with kiro() as agent:
        assert agent.begin().ask("hello")["result"] == {"stopReason": "end_turn"}
        (told,) = agent.told("_kiro.dev/metadata")
        assert told["meteringUsage"][0]["unit"] == "credit"
        assert agent.seen[-2]["method"] == "_kiro.dev/metadata"


def test_it_lists_and_terminates_by_its_own_names(kiro):
    with kiro() as agent:
        agent.begin().ask("/echo one")
        (listed,) = agent.result("_kiro.dev/session/list", cwd="/")["sessions"]
        assert (listed["sessionId"], listed["title"]) == (agent.session, "/echo one")
        assert listed["messageCount"] == 2
        assert agent.result("_kiro.dev/session/terminate", sessionId=agent.session) == {}
        assert agent.result("_kiro.dev/session/terminate", sessionId="nobody") == {}
        assert agent.ask("hello")["error"]["code"] == -32603


def test_it_terminates_by_the_older_notification_too(kiro):
    with kiro() as agent:
        agent.begin().send(method="_session/terminate", params={"sessionId": agent.session})
        assert agent.ask("hello")["error"]["code"] == -32603


def test_it_executes_commands_that_are_objects(kiro):
    def execute(command):
        return agent.call("_kiro.dev/commands/execute", sessionId=agent.session, command=command)

    with kiro() as agent:
        agent.begin()
        assert execute({"command": "usage", "args": {}})["result"]["success"] is True
        assert execute({"command": "nonsense"})["result"]["success"] is False
        assert execute("/usage")["error"]["code"] == -32602
        execute({"command": "compact"})
        states = [params["status"]["type"] for params in agent.told("_kiro.dev/compaction/status")]
        assert states == ["started", "completed"]
        options = agent.result("_kiro.dev/commands/options", sessionId=agent.session, command="model", partial="")
        assert options == {"options": [], "hasMore": False}


def test_it_ends_without_a_word_at_the_load_of_an_unknown_session(kiro):
    with kiro() as agent:
        agent.greet()
        agent.send(id="load", method="session/load", params={"sessionId": "x", "cwd": "/", "mcpServers": []})
        assert agent.process.wait(20) == 0
        assert agent.process.stdout.read() == b""


def test_a_prompt_during_a_turn_is_an_internal_error_and_cancel_answers_at_once(kiro):
    with kiro() as agent:
        agent.begin().prompt("/sleep 1000", number="first")
        assert agent.ask("again")["error"]["code"] == -32603
        agent.cancel()
        assert agent.answer("first")["result"]["stopReason"] == "cancelled"


def test_it_wants_a_login_by_its_own_method_where_it_is_told_to(kiro):
    with kiro("--auth", "kiro-login") as agent:
        assert [method["id"] for method in agent.greet()["authMethods"]] == ["kiro-login"]
        assert agent.code("session/new", cwd="/", mcpServers=[]) == -32000


def test_what_was_said_is_loaded_by_another_process(kiro, tmp_path):
    with kiro("--memory", tmp_path / "memory") as first:
        first.begin().ask("/tool\n/say-choices")
    with kiro("--memory", tmp_path / "memory") as second:
        assert set(second.load(first.session)["result"]) == {"modes", "models"}
        assert [update["sessionUpdate"] for update in second.updates()] == [
            "user_message_chunk",
            "tool_call",
            "tool_call_update",
            "agent_message_chunk",
        ]
        assert json.loads(second.said()[0]) == {"model": "auto", "mode": "kiro_default"}
