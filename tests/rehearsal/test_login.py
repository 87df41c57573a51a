"""The rehearsal agent wants a login where it was told to: by a request, in a terminal, or by a file."""

import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-P", "-m", "kiro_core.rehearsal"]
NEW = {"cwd": "/", "mcpServers": []}


def test_without_a_login_no_session_is_opened(rehearsal):
    with rehearsal("--auth", "key", "--auth", "web", "--with", "logout,load") as agent:
        hello = agent.greet()
        assert [method["id"] for method in hello["authMethods"]] == ["key", "web"]
        assert hello["agentCapabilities"]["auth"] == {"logout": {}}
        assert agent.code("session/new", **NEW) == -32000
        assert agent.load("x")["error"]["code"] == -32000
        assert agent.code("authenticate", methodId="other") == -32602
        assert agent.result("authenticate", methodId="web") == {}
        assert agent.begin().ask("/echo hm")["result"]["stopReason"] == "end_turn"
        assert agent.result("logout") == {}
        assert agent.code("session/new", **NEW) == -32000


def test_an_agent_that_wants_no_login_has_no_methods_for_it(rehearsal):
    with rehearsal() as agent:
        assert agent.greet()["authMethods"] == []
        assert agent.code("authenticate", methodId="key") == -32601
        assert agent.code("logout") == -32601


def test_a_file_keeps_the_login_for_other_processes_until_logout(rehearsal, tmp_path):
    arguments = ["--auth", "key", "--auth-file", tmp_path / "login", "--with", "logout"]
    with rehearsal(*arguments) as agent:
        assert agent.code("session/new", **NEW) == -32000
        agent.result("authenticate", methodId="key")
    with rehearsal(*arguments) as agent:
        agent.begin().result("logout")
        assert agent.result("logout") == {}
    with rehearsal(*arguments) as agent:
        assert agent.code("session/new", **NEW) == -32000


@pytest.mark.parametrize(
    ("when", "terminal", "shown"), [("asked", True, True), ("asked", False, False), ("always", False, True)]
)
def test_a_login_in_a_terminal_is_offered_to_clients_that_have_one_or_always(rehearsal, when, terminal, shown):
    with rehearsal("--auth-terminal", when) as agent:
        methods = agent.greet(auth={"terminal": terminal})["authMethods"]
        assert [(method["type"], method["args"]) for method in methods] == [("terminal", ["--login"])] * shown
        assert agent.code("authenticate", methodId="terminal") == -32602
        assert agent.code("session/new", **NEW) == -32000


def log_in(*arguments, typed):
    return subprocess.run(
        [*COMMAND, *arguments, "--login"], input=typed, capture_output=True, text=True, timeout=20, check=False
    )


def test_the_login_in_a_terminal_asks_for_a_line_and_is_remembered(rehearsal, tmp_path):
    arguments = ["--auth-terminal", "--auth-file", str(tmp_path / "login")]
    nothing = log_in(*arguments, typed="\n")
    assert (nothing.returncode, nothing.stderr) == (1, "Nothing was typed, so nobody is logged in.\n")
    with rehearsal(*arguments) as agent:
        assert agent.code("session/new", **NEW) == -32000
        done = log_in(*arguments, typed="please\n")
        assert (done.returncode, done.stdout) == (0, "Type anything to log in: You are logged in.\n")
        assert agent.begin().session


def test_a_login_needs_a_file_to_be_remembered_in():
    refused = log_in(typed="")
    assert refused.returncode == 2
    assert "--login needs --auth-file" in refused.stderr
