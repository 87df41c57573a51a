"""What real agents were seen to do beside the protocol, each of them as its client has to see it through us."""

import json

import pytest
from programs import scripted

USAGE = {"sessionUpdate": "usage_update", "used": 1, "size": 2}
COMMANDS = {"sessionUpdate": "available_commands_update", "availableCommands": []}
TITLE = {"sessionUpdate": "session_info_update", "title": "Fix the roof", "updatedAt": None}
ANSWER_FIRST = "say(id=asked.pop('id'), result={'stopReason': 'end_turn'}); "
CALL = {"toolCallId": "c", "title": "Remove it"}
QUESTION = {"sessionId": "s", "toolCall": CALL, "options": [{"optionId": "y", "name": "Yes", "kind": "allow_once"}]}
ASK = f"say(id='q', method='session/request_permission', params={QUESTION}); sys.stdin.readline(); "


@pytest.fixture
def begin(place):
    """`begin(prompt="...")`: a far end and its session with a scripted agent that does so."""

    def begin(**code):
        far = place.start(engines={"odd": scripted(**code)})
        return far, far.begin()

    return begin


def test_updates_behind_the_answer_of_a_turn_are_shown_and_belong_to_no_turn(begin):
    late = "".join(f"update(**{update}); " for update in (USAGE, COMMANDS, TITLE))
    far, session = begin(prompt=ANSWER_FIRST + late)
    far.prompt(session, "hello")
    far.until(lambda: len(far.updates(session)) >= 3)
    kinds = [update["sessionUpdate"] for update in (USAGE, COMMANDS, TITLE)]
    assert [update["sessionUpdate"] for update in far.updates(session) if update["sessionUpdate"] in kinds] == kinds
    [listed] = far.ask("session/list")["result"]["sessions"]
    assert listed["title"] == "Fix the roof"
    far.prompt(session, "once more")


def test_a_tool_call_that_was_never_announced_is_shown_asked_about_and_replayed(begin):
    update = {"sessionUpdate": "tool_call_update", "toolCallId": "c", "status": "completed"}
    far, session = begin(prompt=f"{ASK}update(**{update})")
    far.answers["session/request_permission"] = {"outcome": {"outcome": "selected", "optionId": "y"}}
    far.prompt(session, "hello")
    assert far.asked("session/request_permission") == [{**QUESTION, "sessionId": session}]
    assert update in far.updates(session)
    far.ask("session/close", sessionId=session)
    far.messages.clear()
    far.ask("session/load", sessionId=session, cwd=far.cwd, mcpServers=[])
    assert update in far.updates(session)


def test_a_request_outside_the_protocol_is_refused_and_a_notification_passes(begin):
    note = {"sessionId": "s", "mode": "yolo"}
    ask = "say(id='d', method='craft/drainMidTurnQueue', params={'sessionId': 's'}); tell(sys.stdin.readline())"
    far, session = begin(prompt=f"say(method='qwen/notify/session/mode-update', params={note}); {ask}")
    far.prompt(session, "hello")
    refusal = json.loads(far.text(session))
    assert (refusal["id"], refusal["error"]["code"]) == ("d", -32601)
    assert far.asked("craft/drainMidTurnQueue") == []
    assert far.asked("qwen/notify/session/mode-update") == [{**note, "sessionId": session}]


def test_an_agents_own_terminal_is_shown_as_it_came_and_replayed_as_its_output(begin):
    block = {"type": "terminal", "terminalId": "never-created"}
    call = {"toolCallId": "c", "title": "ls", "kind": "execute", "status": "in_progress", "content": [block]}
    started = {
        "sessionUpdate": "tool_call",
        **call,
        "_meta": {"terminal_info": {"terminal_id": "never-created", "cwd": "/"}},
    }
    printed = {
        "sessionUpdate": "tool_call_update",
        "toolCallId": "c",
        "_meta": {"terminal_output_delta": {"terminal_id": "never-created", "data": "roof.py\n"}},
    }
    ended = {
        "sessionUpdate": "tool_call_update",
        "toolCallId": "c",
        "status": "completed",
        "_meta": {"terminal_exit": {"terminal_id": "never-created", "exit_code": 0, "signal": None}},
    }
    far, session = begin(prompt="".join(f"update(**{update}); " for update in (started, printed, ended)))
    far.prompt(session, "hello")
    assert [update for update in far.updates(session) if "toolCallId" in update] == [started, printed, ended]
    far.ask("session/close", sessionId=session)
    far.messages.clear()
    far.ask("session/load", sessionId=session, cwd=far.cwd, mcpServers=[])
    replayed = [update for update in far.updates(session) if "toolCallId" in update]
    assert [update.get("status") for update in replayed] == ["in_progress", None, "completed"]
    assert replayed[0]["content"] == [{"type": "content", "content": {"type": "text", "text": "roof.py\n"}}]


def test_the_usage_in_the_answer_of_a_turn_passes_and_is_on_record(begin, place):
    usage = {"inputTokens": 5, "outputTokens": 7, "totalTokens": 12}
    far, session = begin(prompt=f"answers['session/prompt']['usage'] = {usage}")
    assert far.prompt(session, "hello")["result"]["usage"] == usage
    kept = [json.loads(line)["body"] for line in place.record(session).splitlines()]
    assert [body["data"]["usage"] for body in kept if body["kind"] == "turn_ended"] == [usage]


def test_an_agent_that_echoes_the_version_is_asked_for_ours_and_so_answers_ours(begin):
    far, session = begin(initialize="answers['initialize']['protocolVersion'] = got['initialize']['protocolVersion']")
    assert far.prompt(session, "hello")["result"]["stopReason"] == "end_turn"


def test_an_agent_that_insists_on_another_version_is_refused_in_a_sentence(place):
    far = place.start(engines={"odd": scripted(initialize="answers['initialize']['protocolVersion'] = 2")})
    far.greet()
    error = far.ask("session/new", cwd=far.cwd, mcpServers=[])["error"]
    assert "version 2" in error["message"]


def test_a_relative_folder_is_refused_though_the_agent_would_take_it(begin):
    far, _ = begin()
    for cwd in (".", "work", "", "~"):
        assert far.ask("session/new", cwd=cwd, mcpServers=[])["error"]["code"] == -32602
    for servers in (None, []):
        assert far.ask("session/new", cwd=far.cwd, mcpServers=servers)["result"]["sessionId"]


def test_a_batch_never_reaches_an_agent_that_would_die_of_it(begin):
    far, session = begin(**{"_x/y": "answers['_x/y'] = {'n': got['_x/y']['n']}"})
    far.say(*({"id": n, "method": "_x/y", "params": {"sessionId": session, "n": n}} for n in range(200)))
    assert [far.answered(n)["result"]["n"] for n in range(200)] == list(range(200))
