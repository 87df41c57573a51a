"""The rules of JSON-RPC and of the protocol that are broken most often, towards a client that checks them."""

import json

import pytest
from programs import REHEARSAL, scripted
from strictness import checked

TEXT = 'é 😀 \u2028 \x7f "\\" / '
QUESTION = {
    "sessionId": "s",
    "toolCall": {"toolCallId": "t"},
    "options": [{"optionId": "y", "name": "Yes", "kind": "allow_once"}],
}
ASK = f"say(id='q', method='session/request_permission', params={QUESTION})"
HEAR = "tell(sys.stdin.readline())"


@pytest.fixture
def rehearsal(place):
    return place.start(engines={"rehearsed": REHEARSAL})


@pytest.fixture
def talk(place):
    """`talk(code, **capabilities)`: what a scripted agent says in its turn, and the far end that heard it."""

    def talk(code, answers=None, **capabilities):
        far = place.start(engines={"scripted": scripted(prompt=code)})
        far.answers.update(answers or {})
        session = far.begin(**capabilities)
        far.prompt(session, "hello")
        return far, session

    return talk


@pytest.mark.parametrize(
    "answer",
    [
        *("result={'stopReason': 'end_turn'}, error=None", "result=None, error={'code': 7, 'message': 'no'}"),
        "result={'stopReason': 'end_turn'}, error={'code': 7, 'message': 'no'}",
        *("result=None", "result=5", "error=5", "error={'code': 'x'}", ""),
    ],
)
def test_however_an_agent_answers_its_client_gets_either_a_result_or_an_error(place, answer):
    far = place.start(engines={"scripted": scripted(prompt=f"say(id=asked.pop('id'), {answer})")})
    session = far.begin()
    assert far.prompt(session, "hello")["id"] == "turn"
    checked(far.lines[-1])
    assert far.ask("session/close", sessionId=session)["result"] == {}


@pytest.mark.parametrize("method", ["_example.dev/ask", "_", "craft/ask", "fs/unheard_of", "session/prompt", ""])
def test_an_agent_gets_an_answer_to_a_request_that_nobody_knows(talk, method):
    far, session = talk(f"say(id='q', method={method!r}, params={{'sessionId': 's'}}); {HEAR}")
    answer = json.loads(far.text(session))
    assert (answer["id"], answer["error"]["code"]) == ("q", -32601)
    assert [told["sessionId"] for told in far.asked(method)] == ([session] if method.startswith("_") else [])


def test_a_clients_answer_to_an_extension_reaches_the_agent_whole(talk):
    result = {"z": 1, "a": [None, TEXT]}
    code = f"say(id='q', method='_example.dev/ask', params={{'sessionId': 's', 'x': [1]}}); {HEAR}"
    far, session = talk(code, {"_example.dev/ask": result})
    assert json.loads(far.text(session)) == {"jsonrpc": "2.0", "id": "q", "result": result}


def test_an_agents_answer_to_an_extension_reaches_the_client_whole(place):
    far = place.start(engines={"scripted": scripted(**{"_x/y": "answers['_x/y'] = {'got': got['_x/y'], 'z': None}"})})
    session = far.begin()
    answer = far.ask("_x/y", sessionId=session, x=TEXT)
    assert answer["result"] == {"got": {"sessionId": "s", "x": TEXT}, "z": None}


def test_updates_of_a_turn_come_before_its_answer_and_those_of_a_new_session_after_its_own(place):
    code = {"new": "tell('early')", "opened": "tell('opened')", "prompt": "tell('in the turn')"}
    far = place.start(engines={"scripted": scripted(**code)})
    far.greet()
    far.say({"id": "new", "method": "session/new", "params": {"cwd": far.cwd, "mcpServers": []}})
    session = far.answered("new")["result"]["sessionId"]
    assert far.messages[1]["id"] == "new"
    far.until(lambda: "opened" in far.text(session))
    far.prompt(session, "hello")
    assert far.text(session) == "earlyopenedin the turn"
    assert far.messages[-1]["id"] == "turn"


def test_a_cancelled_turn_answers_the_open_question_and_ends_as_cancelled_without_an_error(place):
    code = f"{ASK}; {HEAR}; {HEAR}; answers['session/prompt'] = {{'stopReason': 'cancelled'}}"
    far = place.start(engines={"scripted": scripted(prompt=code)})
    far.answers["session/request_permission"] = None
    session = far.begin()
    far.begin_turn(session, "hello")
    far.until(lambda: far.asked("session/request_permission"))
    far.say({"method": "session/cancel", "params": {"sessionId": session}})
    assert far.answered("turn")["result"] == {"stopReason": "cancelled"}
    heard = [json.loads(line) for line in far.text(session).splitlines()]
    assert {"jsonrpc": "2.0", "id": "q", "result": {"outcome": {"outcome": "cancelled"}}} in heard
    assert [line["params"] for line in heard if line.get("method") == "session/cancel"] == [{"sessionId": "s"}]


def test_prompts_that_wait_are_cancelled_with_the_one_that_runs(rehearsal):
    session = rehearsal.begin()
    for number in range(3):
        rehearsal.begin_turn(session, "/sleep 600", number)
    rehearsal.say({"method": "session/cancel", "params": {"sessionId": session}})
    assert [rehearsal.answered(number)["result"]["stopReason"] for number in range(3)] == ["cancelled"] * 3


def test_a_request_that_is_taken_back_is_answered_with_an_error_of_its_own(place):
    far = place.start(engines={"slow": [*REHEARSAL, "--hang-at", "session/new"]})
    far.greet()
    far.say({"id": "new", "method": "session/new", "params": {"cwd": far.cwd, "mcpServers": []}})
    far.say({"method": "$/cancel_request", "params": {"requestId": "new"}})
    far.say({"method": "$/cancel_request", "params": {"requestId": "nobody's"}})
    assert far.answered("new")["error"]["code"] == -32800
    assert far.ask("session/list")["result"]


def test_a_question_that_the_agent_takes_back_is_taken_back_from_the_client(place):
    take_back = "say(method='$/cancel_request', params={'requestId': 'q'})"
    far = place.start(engines={"scripted": scripted(prompt=f"{ASK}; {take_back}; {HEAR}")})
    far.answers["session/request_permission"] = None
    session = far.begin()
    assert far.prompt(session, "hello")["result"]["stopReason"] == "end_turn"
    assert json.loads(far.text(session))["error"]["code"] == -32800
    # It may be taken back before the client was asked; a client that was asked is told.
    asked = [message["id"] for message in far.messages if message.get("method") == "session/request_permission"]
    assert far.asked("$/cancel_request") == [{"requestId": number} for number in asked]
