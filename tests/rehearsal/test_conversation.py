"""The rehearsal agent repeats what it is told, obeys directives, asks, and can be cancelled."""

import pytest

from kiro_core.rehearsal.directives import DIRECTIVES, describe


def test_it_says_what_it_is_and_offers_two_models(rehearsal):
    with rehearsal() as agent:
        hello = agent.call("initialize", protocolVersion=1)["result"]
        session = agent.call("session/new", cwd="/", mcpServers=[])["result"]
    assert (hello["protocolVersion"], hello["agentInfo"]["name"]) == (1, "rehearsal")
    assert hello["agentCapabilities"]["loadSession"] is False
    assert session["sessionId"] == f"rehearsal-1-{agent.process.pid}"
    assert [option["value"] for option in session["configOptions"][0]["options"]] == ["rehearsal-1", "rehearsal-2"]


def test_a_plain_prompt_is_repeated_word_by_word_before_the_answer(agent):
    result = agent.ask("mind the gap")["result"]
    assert result["stopReason"] == "end_turn"
    assert "".join(agent.said()) == "This is the rehearsal agent, which repeats what it is told: mind the gap"
    assert len(agent.said()) == 14
    assert result["usage"] == {"inputTokens": 3, "outputTokens": 14, "totalTokens": 17}


def test_the_text_of_embedded_resources_and_the_address_of_links_belong_to_the_prompt(agent):
    blocks = [
        {"type": "text", "text": "/echo look"},
        {"type": "resource", "resource": {"uri": "file:///a", "text": "/echo inside"}},
        {"type": "resource_link", "uri": "file:///b", "name": "b"},
    ]
    agent.call("session/prompt", sessionId=agent.session, prompt=blocks)
    assert agent.said()[:2] == ["look", "inside"]
    assert agent.said()[-1] == "file:///b"


def test_two_starts_say_the_same_bytes(rehearsal):
    lines = []
    for _ in range(2):
        with rehearsal() as agent:
            agent.begin().prompt("/plan\n/tool\n/thought hm\nhello")
            lines.append([agent.line().replace(agent.session.encode(), b"") for _ in range(17)])
    assert lines[0] == lines[1]


def test_directives_run_in_their_order_one_a_line(agent):
    agent.ask("/echo one\n/tool Sweep\nplain\n/plan\n/thought two")
    kinds = [message["params"]["update"]["sessionUpdate"] for message in agent.seen if "params" in message]
    assert kinds[:3] == ["agent_message_chunk", "tool_call", "tool_call_update"]
    assert kinds[-2:] == ["plan", "agent_thought_chunk"]
    assert agent.updates("tool_call")[0]["title"] == "Sweep"
    assert agent.updates("tool_call_update")[0]["status"] == "completed"


def test_help_lists_the_whole_table(agent):
    agent.ask("/help")
    text = "".join(agent.said())
    for name, does in DIRECTIVES.items():
        assert describe(does).startswith(f"`/{name}")
        assert describe(does) in text


@pytest.mark.parametrize(
    ("option", "status"), [("once", "completed"), ("always", "completed"), ("no", "failed"), ("odd", "failed")]
)
def test_a_permission_is_asked_and_its_outcome_told(agent, option, status):
    agent.prompt("/permission Delete all\n/echo done")
    question = agent.until(lambda message: message.get("method") == "session/request_permission")
    kinds = {o["optionId"]: o["kind"] for o in question["params"]["options"]}
    assert sorted(kinds.values()) == ["allow_always", "allow_once", "reject_once"]
    assert question["params"]["toolCall"]["title"] == "Delete all"
    agent.send(id=question["id"], result={"outcome": {"outcome": "selected", "optionId": option}})
    assert agent.answer("prompt")["result"]["stopReason"] == "end_turn"
    assert agent.said() == [f"Permission: {kinds.get(option, 'no usable answer')}. ", "done"]
    assert [update["status"] for update in agent.updates("tool_call_update")] == [status]


@pytest.mark.parametrize("how", ["outcome", "cancel"])
def test_a_cancelled_question_cancels_the_turn(agent, how):
    agent.prompt("/permission\n/echo never")
    question = agent.until(lambda message: message.get("method") == "session/request_permission")
    if how == "outcome":
        agent.send(id=question["id"], result={"outcome": {"outcome": "cancelled"}})
    else:
        agent.cancel()
    assert agent.answer("prompt")["result"]["stopReason"] == "cancelled"
    assert agent.said() == []


def test_cancel_overtakes_a_turn_and_the_session_goes_on(agent):
    agent.prompt("/echo started\n/sleep 1000\n/echo never")
    agent.until(lambda message: message.get("method") == "session/update")
    agent.cancel()
    assert agent.answer("prompt")["result"]["stopReason"] == "cancelled"
    assert agent.ask("/echo again")["result"]["stopReason"] == "end_turn"
    assert agent.said() == ["started", "again"]


def test_something_is_said_after_the_turn(agent):
    agent.ask("/say-later 0.5 by the way")
    assert agent.said() == []
    agent.receive()
    assert agent.said() == ["by the way"]


def test_a_turn_ends_with_the_reason_or_the_error_that_was_asked_for(agent):
    assert agent.ask("/stop refusal")["result"]["stopReason"] == "refusal"
    assert agent.ask("/error -32000 log in")["error"] == {"code": -32000, "message": "log in"}


def test_a_directive_says_what_it_cannot_take(agent):
    error = agent.ask("/sleep long")["error"]
    assert error["code"] == -32602
    assert "/sleep SECONDS" in error["message"]


def test_a_closed_session_ends_its_turn_and_is_forgotten(agent):
    agent.prompt("/sleep 1000")
    agent.send(id="close", method="session/close", params={"sessionId": agent.session})
    answers = {message["id"]: message["result"] for message in (agent.receive(), agent.receive())}
    assert answers["close"] == {}
    assert answers["prompt"]["stopReason"] == "cancelled"
    assert agent.ask("hello")["error"]["code"] == -32002


def test_a_prompt_during_a_turn_is_refused(agent):
    agent.prompt("/sleep 1000", number="first")
    assert agent.ask("again")["error"]["code"] == -32600


def test_an_edit_is_shown_as_a_difference_and_nothing_is_written(rehearsal, tmp_path):
    with rehearsal() as agent:
        agent.begin(tmp_path).ask("/diff a.py")
        (call,), (done,) = agent.updates("tool_call"), agent.updates("tool_call_update")
    path = str(tmp_path / "a.py")
    assert (call["kind"], call["locations"]) == ("edit", [{"path": path, "line": 1}])
    assert done["content"] == [{"type": "diff", "path": path, "oldText": "old\n", "newText": "new\n"}]
    assert list(tmp_path.glob("*.py")) == []


def test_any_update_can_be_sent_in_the_turn_and_behind_its_answer(agent):
    agent.ask('/update {"sessionUpdate":"x_new","n":1}\n/after {"sessionUpdate":"x_late"}\n/echo done')
    assert [update["sessionUpdate"] for update in agent.updates()] == ["x_new", "agent_message_chunk"]
    assert agent.receive()["params"]["update"] == {"sessionUpdate": "x_late"}
    assert agent.ask("/update [1]")["error"]["code"] == -32602
    assert agent.ask("/after nonsense")["error"]["code"] == -32602


STABLE = [
    "user_message_chunk",
    "agent_message_chunk",
    "agent_thought_chunk",
    "tool_call",
    "tool_call_update",
    "plan",
    "available_commands_update",
    "current_mode_update",
    "config_option_update",
    "session_info_update",
    "session_info_update",
    "usage_update",
]
OFFERED = {
    "notice": {"session": {"notices": {}}},
    "compaction_update compaction_summary_chunk compaction_update": {"session": {"compaction": {}}},
    "plan_update plan_update plan_update plan_removed": {"plan": {}},
    "subagent_update session_message session_message_chunk": {"subagents": {}},
}


def test_one_update_of_every_stable_kind_can_be_had(rehearsal):
    with rehearsal("--modes", "ask") as agent:
        agent.greet()
        agent.begin().ask("/updates")
        assert [update["sessionUpdate"] for update in agent.updates()] == STABLE
        assert [update.get("title", "kept") for update in agent.updates("session_info_update")] == ["A title", None]
        assert agent.updates("current_mode_update")[0]["currentModeId"] == "ask"


@pytest.mark.parametrize("kinds", OFFERED)
def test_kinds_that_a_client_has_to_ask_for_are_sent_when_it_did(rehearsal, kinds):
    with rehearsal("--modes", "ask") as agent:
        agent.greet(**OFFERED[kinds])
        agent.begin().ask("/updates")
        assert [update["sessionUpdate"] for update in agent.updates()] == [*STABLE, *kinds.split()]


def test_all_kinds_can_be_had_whether_they_were_asked_for_or_not(agent):
    agent.ask("/updates all")
    kinds = {kind for kinds in OFFERED for kind in kinds.split()}
    assert kinds < {update["sessionUpdate"] for update in agent.updates()}


def test_late_updates_follow_the_answer(rehearsal):
    with rehearsal("--with", "late-updates") as agent:
        agent.begin().ask("/echo Good morning")
        late = [agent.receive()["params"]["update"] for _ in range(3)]
    assert [update["sessionUpdate"] for update in late] == [
        "session_info_update",
        "usage_update",
        "available_commands_update",
    ]
    assert late[0]["title"] == "/echo Good morning"
