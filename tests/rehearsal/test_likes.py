"""Told to speak like an engine, the rehearsal agent has that engine's names, extensions and oddities on its wire."""

import pytest

from kiro_core.rehearsal.options import LIKES

ASK = "session/request_permission"


@pytest.fixture
def like(rehearsal):
    """`with like("kiro", *arguments) as agent`: an agent that speaks like it."""
    return lambda name, *arguments: rehearsal("--like", name, *arguments)


def chosen(option):
    return {"result": {"outcome": {"outcome": "selected", "optionId": option}}}


def kinds(agent, call):
    """The updates about a tool call, in their order."""
    return [update["sessionUpdate"] for update in agent.updates() if update.get("toolCallId") == call]


NAMES = {
    "claude": "@agentclientprotocol/claude-agent-acp",
    "codex": "@agentclientprotocol/codex-acp",
    "gemini": "gemini-cli",
    "kiro": "kiro-cli",
}


@pytest.mark.parametrize("name", LIKES)
def test_each_has_its_name_and_a_whole_turn(like, name):
    with like(name) as agent:
        hello = agent.greet(auth={"terminal": True})
        assert hello["agentInfo"]["name"] == NAMES[name]
        assert hello["agentCapabilities"]["loadSession"] is True
        assert agent.begin().ask("/echo hm\n/tool")["result"]["stopReason"] == "end_turn"
        assert agent.said() == ["hm"]
        (call,) = agent.updates("tool_call")
        assert agent.updates("tool_call_update")[-1]["status"] == "completed"
        assert call["toolCallId"] == agent.updates("tool_call_update")[-1]["toolCallId"]


@pytest.mark.parametrize("name", LIKES)
def test_each_can_keep_its_sessions_but_gemini(like, name, tmp_path):
    with like(name, "--memory", tmp_path / "memory") as first:
        first.begin().ask("/echo one")
        session = first.session
    with like(name, "--memory", tmp_path / "memory") as second:
        if name == "gemini":
            error = second.load(session)["error"]
            assert error["code"] == -32603
            assert "Invalid session identifier" in error["data"]["details"]
        else:
            assert "result" in second.load(session)
            assert second.said() == ["one"]


def test_claude_offers_everything_as_options_and_the_modes_twice(like):
    with like("claude") as agent:
        agent.greet(session={"configOptions": {"boolean": {}}})
        opened = agent.begin().seen[-1]["result"]
        assert [option["id"] for option in opened["configOptions"]] == ["mode", "model", "effort", "fast"]
        modes = [mode["id"] for mode in opened["modes"]["availableModes"]]
        assert modes == ["default", "acceptEdits", "plan", "auto", "bypassPermissions"]
        assert "models" not in opened
        assert agent.told("_auth/status_update")[0]["authStatus"]["kind"] == "api_key"
        assert agent.code("session/set_model", sessionId=agent.session, modelId="opus") == -32601
        assert len(agent.updates("available_commands_update")) == 1


def test_claude_tells_title_and_usage_behind_the_answer_which_has_usage_too(like):
    with like("claude") as agent:
        answer = agent.begin().ask("/echo hm")["result"]
        assert answer["usage"]["cachedReadTokens"] == 0
        assert "quota" in answer["_meta"]
        late = [agent.receive()["params"]["update"]["sessionUpdate"] for _ in range(3)]
    assert late == ["session_info_update", "usage_update", "available_commands_update"]


def test_claude_names_its_tool_beside_the_call(like):
    with like("claude") as agent:
        agent.serves = {ASK: chosen("allow-once")}
        agent.begin().ask("/permission Sweep")
        (call,), (done,) = agent.updates("tool_call"), agent.updates("tool_call_update")
        assert call["_meta"] == done["_meta"] == {"claudeCode": {"toolName": "Bash"}}
        assert agent.said() == ["Permission: allow_once. "]


@pytest.mark.parametrize(("name", "mode"), [("claude", "bypassPermissions"), ("claude", "auto"), ("gemini", "yolo")])
def test_in_an_unguarded_mode_nothing_is_asked(like, name, mode):
    with like(name) as agent:
        agent.begin().result("session/set_mode", sessionId=agent.session, modeId=mode)
        agent.ask("/permission Sweep")
        assert agent.told(ASK) == []
        assert "Permission: never asked. " in agent.said()


@pytest.mark.parametrize("name", ["claude", "codex"])
def test_claude_and_codex_do_not_know_a_session_by_its_own_number(like, name):
    with like(name) as agent:
        agent.session = "nobody"
        error = agent.ask("hello")["error"]
        assert (error["code"], error["data"]) == (-32002, {"sessionId": "nobody"})


@pytest.mark.parametrize(("name", "code"), [("claude", -32002), ("codex", -32603), ("gemini", -32603)])
def test_the_load_of_an_unknown_session_is_refused_in_each_ones_way(like, name, code):
    with like(name) as agent:
        assert agent.load("nobody")["error"]["code"] == code


def test_claude_logs_in_in_a_terminal_only(like):
    with like("claude") as agent:
        assert agent.greet()["authMethods"] == []
        methods = agent.greet(auth={"terminal": True})["authMethods"]
        assert {method["type"] for method in methods} == {"terminal"}


def test_codex_shows_terminals_that_nobody_created_and_never_asks(like):
    with like("codex") as agent:
        agent.greet(terminal=True)
        agent.begin("/tmp").ask("/permission ls")
        (call,) = agent.updates("tool_call")
        output, done = agent.updates("tool_call_update")
        terminal = call["toolCallId"]
        assert call["content"] == [{"type": "terminal", "terminalId": terminal}]
        assert call["_meta"] == {"terminal_info": {"cwd": "/tmp", "terminal_id": terminal}}
        assert output["_meta"] == {"terminal_output_delta": {"data": "ls\n", "terminal_id": terminal}}
        ended = {"exit_code": 0, "signal": None, "terminal_id": terminal}
        assert (done["status"], done["_meta"]) == ("completed", {"terminal_exit": ended})
        assert [message for message in agent.seen if "id" in message and "method" in message] == []
        assert agent.said() == ["Permission: never asked. "]


def test_codex_has_models_twice_with_an_effort_in_the_former_field(like):
    with like("codex") as agent:
        opened = agent.begin().seen[-1]["result"]
        assert opened["models"]["currentModelId"] == "gpt-6.1-sol[medium]"
        assert [option["id"] for option in opened["configOptions"]] == ["mode", "collaboration_mode", "model"]
        assert opened["modes"]["currentModeId"] == "agent"
        assert agent.result("session/set_model", sessionId=agent.session, modelId="gpt-6-astra[medium]") == {}
        model = agent.updates("config_option_update")[0]["configOptions"][2]
        assert model["currentValue"] == "gpt-6-astra"


def test_gemini_asks_about_a_call_that_it_never_announced(like):
    with like("gemini") as agent:
        agent.serves = {ASK: chosen("proceed_once")}
        agent.begin().ask("/permission Sweep")
        (question,) = agent.told(ASK)
        assert question["toolCall"]["status"] == "pending"
        assert [option["optionId"] for option in question["options"]] == ["proceed_always", "proceed_once", "cancel"]
        assert kinds(agent, question["toolCall"]["toolCallId"]) == ["tool_call_update"]
        assert agent.updates("tool_call_update")[0]["title"] == "Sweep"


def test_gemini_serves_set_model_and_no_options_and_tells_a_mode_as_text(like):
    with like("gemini") as agent:
        opened = agent.begin().seen[-1]["result"]
        named = {"sessionId": agent.session}
        assert [mode["id"] for mode in opened["modes"]["availableModes"]] == ["default", "autoEdit", "yolo", "plan"]
        assert agent.result("session/set_model", **named, modelId="gemini-3.8-flash") == {}
        assert agent.code("session/set_config_option", **named) == -32601
        assert agent.result("session/set_mode", **named, modeId="plan") == {}
        assert agent.said() == ["[MODE_UPDATE] plan"]
        assert [agent.code(f"session/{verb}", **named) for verb in ("list", "close", "delete")] == [-32601] * 3
        agent.session = "nobody"
        assert agent.ask("hello")["error"]["code"] == -32602


def test_gemini_outlives_its_stdin(like):
    with like("gemini") as agent:
        agent.begin().prompt("/say-later 0.05 still here")
        agent.answer("prompt")
        agent.process.stdin.close()
        agent.hear("still here")
        agent.process.terminate()
        assert agent.process.wait(20) < 0
