"""The rehearsal agent calls a tool of an MCP server that its client named, and ends the server again."""

import json
import sys
from pathlib import Path

import pytest

SERVER = str(Path(__file__).parents[1] / "mcp" / "mini_server.py")


def server(*arguments, name="mini", **env):
    pairs = [{"name": key, "value": value} for key, value in env.items()]
    return {"name": name, "command": sys.executable, "args": [SERVER, *arguments], "env": pairs}


def opened(agent, tmp_path, *servers):
    params = {"cwd": str(tmp_path), "mcpServers": list(servers)}
    agent.session = agent.result("session/new", **params)["sessionId"]
    return agent


def left(tmp_path):
    """The processes that have the folder of the test as their own."""
    found = []
    for process in Path("/proc").iterdir() if sys.platform == "linux" else ():
        try:
            if process.name.isdecimal() and (process / "cwd").readlink() == tmp_path:
                found.append(process.name)
        except OSError:
            continue
    return found


def test_a_tool_is_called_and_its_answer_shown(rehearsal, tmp_path):
    with rehearsal() as agent:
        opened(agent, tmp_path, server(MINI="mine"))
        agent.ask('/mcp mini echo {"text": "hello"}\n/echo on')
        said, on = agent.said()
        assert json.loads(said) == {"text": "hello", "env": "mine", "cwd": str(tmp_path)}
        assert on == "on"
        (call,), (done,) = agent.updates("tool_call"), agent.updates("tool_call_update")
        assert (call["title"], call["rawInput"]) == ("@mini/echo", {"text": "hello"})
        assert (done["toolCallId"], done["status"]) == (call["toolCallId"], "completed")
        assert done["content"] == [{"type": "content", "content": {"type": "text", "text": said}}]
        assert left(tmp_path) == []


def test_a_tool_that_fails_is_shown_as_failed(rehearsal, tmp_path):
    with rehearsal() as agent:
        opened(agent, tmp_path, server("noisy")).ask("/mcp mini fail")
        assert agent.updates("tool_call_update")[0]["status"] == "failed"


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (server("exit"), "it has ended before it had answered initialize"),
        (server("refuse=tools/call"), "tools/call failed: Not here."),
        ({"name": "mini", "command": "/not/there", "args": [], "env": []}, "No such file or directory"),
    ],
)
def test_a_server_that_does_not_answer_is_told_and_the_turn_goes_on(rehearsal, tmp_path, given, reason):
    with rehearsal() as agent:
        opened(agent, tmp_path, given).ask("/mcp mini echo\n/echo on")
        told, on = agent.said()
        assert told.startswith("The MCP server 'mini' does not answer: ")
        assert reason in told
        assert on == "on"
        assert agent.updates("tool_call_update")[0]["status"] == "failed"


def test_a_server_that_the_session_has_not_or_that_is_no_program_is_named(rehearsal, tmp_path):
    with rehearsal("--with", "mcp-http") as agent:
        opened(agent, tmp_path, {"type": "http", "name": "web", "url": "http://x", "headers": []})
        agent.ask("/mcp other echo\n/mcp web echo")
        other, web = agent.said()
        assert other == "The session has no MCP server 'other'. "
        assert "'web' is no program" in web


@pytest.mark.parametrize("directive", ["/mcp", "/mcp mini", "/mcp mini echo {"])
def test_a_directive_that_lacks_something_says_what_it_needs(agent, directive):
    error = agent.ask(directive)["error"]
    assert error["code"] == -32602
    assert "`/mcp SERVER TOOL [JSON]`" in error["message"]


def test_a_cancelled_turn_does_not_wait_for_a_silent_server(rehearsal, tmp_path):
    with rehearsal() as agent:
        opened(agent, tmp_path, server("silent"))
        agent.prompt("/mcp mini echo")
        agent.until(lambda message: "tool_call" in str(message))
        agent.cancel()
        assert agent.answer("prompt")["result"]["stopReason"] == "cancelled"
        assert left(tmp_path) == []


@pytest.mark.parametrize(
    ("argument", "method"),
    [("noisy", "_kiro.dev/mcp/server_initialized"), ("exit", "_kiro.dev/mcp/server_init_failure")],
)
def test_an_agent_that_reports_servers_tells_when_one_really_starts(rehearsal, tmp_path, argument, method):
    with rehearsal("--like", "kiro", "--mcp", "mini=late") as agent:
        agent.greet()
        opened(agent, tmp_path, server(argument))
        assert agent.told(method) == []
        agent.ask("/mcp mini echo")
        assert [params["serverName"] for params in agent.told(method)] == ["mini"]
