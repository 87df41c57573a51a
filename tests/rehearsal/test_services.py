"""The rehearsal agent uses what its client offers, and tells what it was given."""

import json

import pytest

EVERYTHING = {
    "fs": {"readTextFile": True, "writeTextFile": True},
    "terminal": True,
    "elicitation": {"form": {}, "url": {}},
}
DONE = {"result": {}}


@pytest.fixture
def served(rehearsal, tmp_path):
    """An agent whose client offers everything."""
    with rehearsal() as agent:
        agent.greet(**EVERYTHING)
        yield agent.begin(tmp_path)


def test_a_file_is_read_by_the_client(served, tmp_path):
    served.serves = {"fs/read_text_file": {"result": {"content": "two\nthree\n"}}}
    served.ask(f'/read "a b.txt" 2 2\n/read {tmp_path}/c')
    named, absolute = served.told("fs/read_text_file")
    assert named == {"sessionId": served.session, "path": str(tmp_path / "a b.txt"), "line": 2, "limit": 2}
    assert absolute == {"sessionId": served.session, "path": str(tmp_path / "c")}
    assert served.said() == ["two\nthree\n"] * 2


def test_a_file_is_written_by_the_client(served, tmp_path):
    served.serves = {"fs/write_text_file": DONE}
    served.ask("/write a.txt one two\\nthree")
    (asked,) = served.told("fs/write_text_file")
    assert asked == {"sessionId": served.session, "path": str(tmp_path / "a.txt"), "content": "one two\nthree"}
    assert served.said() == ["Wrote a.txt. "]


@pytest.mark.parametrize(
    ("directive", "method"),
    [
        ("/read a", "fs/read_text_file"),
        ("/write a b", "fs/write_text_file"),
        ("/run true", "terminal/create"),
        ("/ask-form", "elicitation/create"),
        ("/ask-url", "elicitation/create"),
    ],
)
def test_what_the_client_refuses_is_told_and_the_turn_goes_on(served, directive, method):
    served.serves = {method: {"error": {"code": -32603, "message": "No."}}}
    assert served.ask(f"{directive}\n/echo on")["result"]["stopReason"] == "end_turn"
    assert served.said() == [f"{method} failed: -32603 No. ", "on"]


@pytest.mark.parametrize("directive", ["/read a", "/write a b", "/run true", "/ask-form", "/ask-url"])
def test_what_the_client_does_not_offer_is_not_asked(agent, directive):
    agent.ask(directive)
    assert agent.said()[0].startswith("The client offers no ")
    assert {message.get("method") for message in agent.seen} == {None, "session/update"}


@pytest.mark.parametrize("directive", ["/read", "/read a b", "/write", "/run", "/run-limit x y", "/request", "/notify"])
def test_a_directive_that_lacks_something_says_what_it_needs(served, directive):
    error = served.ask(directive)["error"]
    assert error["code"] == -32602
    assert f"`{directive.split()[0]} " in error["message"]


def terminal(*, code=0, signal=None, truncated=False):
    """A client whose terminals end like this."""
    ended = {"exitCode": code, "signal": signal}
    return {
        "terminal/create": {"result": {"terminalId": "term-1"}},
        "terminal/wait_for_exit": {"result": ended},
        "terminal/output": {"result": {"output": "hello\n", "truncated": truncated, "exitStatus": ended}},
        "terminal/kill": DONE,
        "terminal/release": DONE,
    }


def steps(agent):
    """What was asked of terminals."""
    found = [message["method"].partition("/") for message in agent.seen if "method" in message]
    return [verb for group, _, verb in found if group == "terminal"]


def test_a_command_runs_in_a_terminal_that_is_shown_and_released(served, tmp_path):
    served.serves = terminal()
    served.ask("/run sh -c 'echo hello'")
    (created,) = served.told("terminal/create")
    command = {"command": "sh", "args": ["-c", "echo hello"], "cwd": str(tmp_path)}
    assert created == {"sessionId": served.session, **command}
    (call,), (done,) = served.updates("tool_call"), served.updates("tool_call_update")
    assert (call["title"], call["kind"], call["status"]) == ("sh -c 'echo hello'", "execute", "in_progress")
    assert call["content"] == [{"type": "terminal", "terminalId": "term-1"}]
    assert done["status"] == "completed"
    assert steps(served) == ["create", "wait_for_exit", "output", "release"]
    assert served.said() == ["hello\n", "Exit: 0. "]


def test_a_command_is_killed(served):
    served.serves = terminal(code=None, signal="SIGKILL")
    served.ask("/run-kill sleep 600")
    assert steps(served) == ["create", "kill", "wait_for_exit", "output", "release"]
    assert served.updates("tool_call_update")[0]["status"] == "failed"
    assert served.said()[1] == "Exit: SIGKILL. "


def test_the_output_of_a_command_is_limited(served):
    served.serves = terminal(code=3, truncated=True)
    served.ask("/run-limit 10 ls")
    assert served.told("terminal/create")[0]["outputByteLimit"] == 10
    assert served.said()[1] == "Exit: 3, output truncated. "


def test_a_terminal_is_left_behind(served):
    served.serves = terminal()
    served.ask("/run-forget sleep 600")
    assert steps(served) == ["create"]
    assert served.said() == ["Terminal: term-1. "]


def test_a_command_that_the_client_loses_is_a_failed_tool_call(served):
    served.serves = terminal() | {"terminal/wait_for_exit": {"error": {"code": -32002, "message": "Gone."}}}
    served.ask("/run true")
    assert served.updates("tool_call_update")[0]["status"] == "failed"
    assert served.said() == ["terminal/wait_for_exit failed: -32002 Gone. "]


def test_cancel_releases_the_terminal(served):
    served.serves = {"terminal/create": {"result": {"terminalId": "term-1"}}}
    served.prompt("/run sleep 600")
    served.asked("terminal/wait_for_exit")
    served.cancel()
    assert served.answer("prompt")["result"]["stopReason"] == "cancelled"
    assert steps(served) == ["create", "wait_for_exit", "release"]
    assert served.updates("tool_call_update") == []


def test_a_form_is_put_and_its_answer_told(served):
    answer = {"action": "accept", "content": {"name": "Ann", "sure": True}}
    served.serves = {"elicitation/create": {"result": answer}}
    served.ask("/ask-form Your name?")
    (asked,) = served.told("elicitation/create")
    assert (asked["mode"], asked["message"], asked["sessionId"]) == ("form", "Your name?", served.session)
    assert asked["requestedSchema"]["required"] == ["name"]
    assert [json.loads(text) for text in served.said()] == [answer]


@pytest.mark.parametrize(("action", "told"), [("accept", 1), ("decline", 0), ("cancel", 0)])
def test_an_address_that_was_accepted_is_told_to_be_complete(served, action, told):
    served.serves = {"elicitation/create": {"result": {"action": action}}}
    served.ask("/ask-url https://example.com/x")
    (asked,) = served.told("elicitation/create")
    assert (asked["mode"], asked["url"]) == ("url", "https://example.com/x")
    assert served.told("elicitation/complete") == [{"elicitationId": asked["elicitationId"]}] * told
    assert json.loads(served.said()[0]) == {"action": action}


def test_any_request_is_put_and_its_result_or_error_told(agent):
    agent.serves = {"_x/yes": {"result": [1, None]}, "no/such": {"error": {"code": -32601, "message": "No."}}}
    agent.ask('/request _x/yes {"a":1}\n/request no/such {"sessionId":null}\n/request _x/yes [7]')
    assert agent.told("_x/yes") == [{"sessionId": agent.session, "a": 1}, [7]]
    assert agent.told("no/such") == [{}]
    answers = [json.loads(text) for text in agent.said()]
    assert answers == [{"result": [1, None]}, {"error": {"code": -32601, "message": "No."}}, {"result": [1, None]}]


def test_any_notification_is_sent(agent):
    agent.ask('/notify _x/tell {"a":1}\n/notify _x/tell {"sessionId":"other"}')
    assert agent.told("_x/tell") == [{"sessionId": agent.session, "a": 1}, {"sessionId": "other"}]


def test_what_the_client_offered_asked_and_chose_is_told(rehearsal):
    with rehearsal("--modes", "ask") as agent:
        agent.greet(terminal=True)
        servers = [{"name": "docs", "command": "x", "args": [], "env": []}]
        new = {"cwd": "/", "mcpServers": servers, "additionalDirectories": ["/tmp"]}
        agent.session = agent.result("session/new", **new)["sessionId"]
        agent.ask("/say-capabilities\n/say-params\n/say-choices")
        said = [json.loads(text) for text in agent.said()]
    assert said[:2] == [{"terminal": True}, new]
    assert (said[2]["mode"], said[2]["model"]) == ("ask", "rehearsal-1")


def test_the_blocks_of_a_prompt_are_told(agent):
    blocks = [{"type": "text", "text": "/blocks"}, {"type": "image", "mimeType": "image/png", "data": "AAAA"}]
    agent.call("session/prompt", sessionId=agent.session, prompt=blocks)
    assert [json.loads(text) for text in agent.said()] == [blocks]


def test_an_environment_variable_is_told(rehearsal, monkeypatch):
    monkeypatch.setenv("KIRO_SESSION_ID", "s-1")
    with rehearsal() as other:
        other.begin().ask("/env KIRO_SESSION_ID\n/env KIRO_NO_SUCH")
        assert other.said() == ["KIRO_SESSION_ID=s-1 ", "KIRO_NO_SUCH is not set. "]
