"""What programs send by themselves says what they asked for, and nothing that they did not."""

from pathlib import Path

import pytest

from kiro_core import messages
from kiro_core.frames import Frame

OPTIONS = [
    {"optionId": "1", "kind": "allow_always"},
    {"optionId": "2", "kind": "reject_once"},
    {"optionId": "3", "kind": "allow_once"},
    "no option",
]


def question(*options):
    return Frame.of("session/request_permission", {"sessionId": "s", "options": [*options]}, id=7)


def update(**told):
    return Frame.of("session/update", {"sessionId": "s", "update": told})


def test_a_new_session_without_wishes_asks_for_none(tmp_path):
    frame = messages.new_session(tmp_path)
    assert (frame.method, frame.is_request) == ("session/new", True)
    assert frame.params == {"cwd": str(tmp_path), "mcpServers": []}


def test_an_agent_configuration_that_is_named_is_required():
    frame = messages.new_session("/x", roots=["/y"], agent="a", engine="e", name="n", parent="p", trust_tools=[])
    assert frame.params["additionalDirectories"] == ["/y"]
    wishes = {"agent": "a", "agentRequired": True, "engine": "e", "name": "n", "parent": "p", "trustTools": []}
    assert frame.params["_meta"] == {"kiro_core": wishes}


def test_a_session_goes_on_with_or_without_a_replay():
    assert messages.open_session("s", Path("/x"), replay=True).method == "session/load"
    frame = messages.open_session("s", Path("/x"), after=0, observe=True)
    assert (frame.method, frame.session) == ("session/resume", "s")
    assert frame.params["_meta"] == {"kiro_core": {"after": 0, "role": "observer"}}


def test_a_prompt_is_a_text_or_blocks():
    blocks = [{"type": "text", "text": "Hi"}]
    assert (
        messages.prompt("s", "Hi").params == messages.prompt("s", blocks).params == {"sessionId": "s", "prompt": blocks}
    )
    frame = messages.prompt("s", "Hi", task="t", when_busy="reject", hops=2)
    assert frame.params["_meta"] == {"kiro_core": {"task": "t", "whenBusy": "reject", "hops": 2}}


def test_a_cancel_is_no_request_and_the_rest_are():
    assert messages.cancel("s").is_notification
    assert messages.close("s").is_request
    assert messages.set_option("s", "model", "m").params == {"sessionId": "s", "configId": "model", "value": "m"}


def test_the_narrowest_option_is_chosen_and_without_one_nothing_is_allowed():
    def outcome(answer):
        return answer.result["outcome"]

    assert outcome(messages.allow(question(*OPTIONS))) == {"outcome": "selected", "optionId": "3"}
    assert outcome(messages.refuse(question(*OPTIONS))) == {"outcome": "selected", "optionId": "2"}
    assert outcome(messages.allow(question(OPTIONS[0]))) == {"outcome": "selected", "optionId": "1"}
    assert outcome(messages.refuse(question(OPTIONS[0]))) == {"outcome": "cancelled"}
    assert outcome(messages.allow(Frame.of("elicitation/create", {"options": 5}, id=7))) == {"outcome": "cancelled"}


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (update(sessionUpdate="agent_message_chunk", content={"type": "text", "text": "Hi"}), "Hi"),
        (update(sessionUpdate="agent_message_chunk", content={"type": "image"}), ""),
        (update(sessionUpdate="agent_message_chunk", content=["Hi"]), ""),
        (update(sessionUpdate="agent_thought_chunk", content={"type": "text", "text": "Hi"}), ""),
        (Frame.of("session/update", {"update": "Hi"}), ""),
        (Frame.of("_other"), ""),
    ],
)
def test_only_the_agents_words_are_said(frame, words):
    assert messages.said(frame) == words
