"""One line is one message, whatever its id, its version or its bytes; and only who asks is answered."""

import json

import pytest
from programs import REHEARSAL

TEXT = 'é 😀 \u2028 \x7f "\\" / '


@pytest.fixture(scope="module")
def greeted(shared_place):
    """A program for all tests here, which has answered `initialize`."""
    far = shared_place.start(engines={"rehearsed": REHEARSAL})
    far.greet()
    return far


@pytest.fixture
def far(greeted):
    """The same, with nothing heard yet."""
    del greeted.lines[:], greeted.messages[:]
    return greeted


def test_a_message_may_come_byte_by_byte(far):
    session = far.new()
    line = {"jsonrpc": "2.0", "id": "x", "method": "session/prompt", "params": {"sessionId": session}}
    line["params"]["prompt"] = [{"type": "text", "text": f"/echo {TEXT}"}]
    for byte in json.dumps(line, ensure_ascii=False).encode() + b"\r\n":
        far.write(bytes([byte]))
    assert far.answered("x")["result"]["stopReason"] == "end_turn"
    assert far.text(session) == TEXT


def test_many_messages_may_come_in_one_write_with_empty_lines_between(far):
    lines = [b'{"jsonrpc":"2.0","id":%d,"method":"session/list"}' % number for number in range(500)]
    far.write(b"\n\n \r\n".join([b"", *lines, b""]))
    far.until(lambda: len(far.messages) == 500)
    assert sorted(message["id"] for message in far.messages) == list(range(500))


@pytest.mark.parametrize("id_", ['"a"', '""', r'"\u0061"', "0", "-7", "1.50", "1e3", "18446744073709551617", "null"])
@pytest.mark.parametrize("method", ["initialize", "no/such"])
def test_an_answer_has_the_very_id_of_its_request(far, id_, method):
    far.write(f'{{"jsonrpc":"2.0","method":"{method}","id":{id_},"params":{{}}}}\n'.encode())
    far.until(lambda: far.lines)
    assert far.lines[0].startswith(f'{{"jsonrpc":"2.0","id":{id_},'.encode())


@pytest.mark.parametrize("version", [0, 1, 2, 99, -1, 2**70, 1.5, "x", "1", None, [], {}, True])
def test_any_version_that_is_asked_for_is_answered_with_ours(far, version):
    assert far.ask("initialize", protocolVersion=version)["result"]["protocolVersion"] == 1


def test_no_version_at_all_is_answered_with_ours(far):
    assert far.ask("initialize")["result"]["protocolVersion"] == 1


def test_a_batch_is_refused_as_one_message_and_nothing_of_it_is_done(far):
    session = far.new()
    batch = [
        {"jsonrpc": "2.0", "id": 1, "method": "session/close", "params": {"sessionId": session}},
        {"jsonrpc": "2.0", "id": 2, "method": "session/list"},
    ]
    far.write(f"{json.dumps(batch)}\n[]\n[1]\n".encode())
    assert far.prompt(session, "/echo on")["result"]["stopReason"] == "end_turn"
    refused = [message for message in far.messages if "error" in message]
    assert [(message["id"], message["error"]["code"]) for message in refused] == [(None, -32600)] * 3
    assert {message.get("id") for message in far.messages}.isdisjoint({1, 2})


@pytest.mark.parametrize(
    "method", ["no/such", "_example.dev/x", "session/cancel", "$/cancel_request", "session/new", "initialize", ""]
)
@pytest.mark.parametrize("params", [{}, {"sessionId": "nobody", "requestId": "nobody"}, [], None])
def test_a_notification_is_never_answered(far, method, params):
    far.say({"method": method, "params": params})
    far.ask("session/list", "after it")
    assert [message["id"] for message in far.messages] == ["after it"]


def test_a_notification_for_an_agent_is_not_answered_either(far):
    session = far.new()
    far.say({"method": "_example.dev/x", "params": {"sessionId": session}})
    far.say({"method": "no/such", "params": {"sessionId": session}})
    far.ask("session/close", "after it", sessionId=session)
    assert [message["id"] for message in far.messages][1:] == ["after it"]


def test_a_client_gets_an_answer_to_a_request_that_nobody_knows(far):
    session = far.new()
    for params in ({"sessionId": session}, {"sessionId": "nobody"}, {}):
        for method in ("_example.dev/ask", "_", "no/such", "session/fork", "fs/read_text_file", ""):
            code = far.ask(method, **params)["error"]["code"]
            assert code == (-32002 if method.startswith("_") and params.get("sessionId") == "nobody" else -32601)
