"""The rehearsal agent misbehaves exactly as it is told, and stands what its client does."""

import json
import os
import signal

import pytest

LIMIT_S = 20


def test_a_hanging_turn_ignores_cancel_and_holds_up_no_other_session(agent):
    hanging = agent.session
    agent.prompt("/hang", number="hanging")
    agent.cancel()
    agent.begin()
    assert agent.ask("/echo free")["result"]["stopReason"] == "end_turn"
    agent.session = hanging
    assert agent.ask("/echo second")["error"]["code"] == -32600
    assert all(message.get("id") != "hanging" for message in agent.seen)
    assert agent.end() == 0


def test_a_flood_arrives_whole_and_in_order(agent):
    agent.ask("/flood 1000 40")
    assert [text[:4] for text in agent.said()[9:12]] == ["9 ..", "10 .", "11 ."]
    assert len(agent.said()) == 1000
    assert {len(text) for text in agent.said()} == {40}


def test_a_big_chunk_is_one_line(agent):
    agent.ask("/big 1000000")
    assert [len(text) for text in agent.said()] == [1000000]


def test_a_raw_line_is_written_as_it_is_even_when_it_is_no_text(agent):
    agent.prompt('/raw {"forged": "\udcff"} \n/raw null,"kind":"permission"')
    assert agent.line() == b'{"forged": "\xff"} '
    assert agent.line() == b'null,"kind":"permission"'


def test_a_lone_surrogate_travels_as_it_came(agent):
    agent.ask("/echo \ud83d")
    assert agent.said() == ["\ud83d"]


def test_it_dies_with_the_status_that_it_was_told(agent):
    agent.prompt("/stderr 2\n/die 3")
    assert agent.process.wait(LIMIT_S) == 3
    assert agent.process.stderr.read().decode().splitlines() == [
        "This is line 0 of the rehearsal agent.",
        "This is line 1 of the rehearsal agent.",
        "The rehearsal agent ends in a turn with status 3, as it was told.",
    ]


def test_it_ends_with_its_stdin_and_by_sigterm(rehearsal, agent):
    assert agent.end() == 0
    with rehearsal() as other:
        other.begin().process.terminate()
        assert other.process.wait(LIMIT_S) == -signal.SIGTERM


def test_told_to_ignore_sigterm_it_also_outlives_its_stdin(agent):
    agent.ask("/ignore-term")
    agent.process.terminate()
    agent.prompt("/say-later 0.05 still here")
    agent.answer("prompt")
    agent.process.stdin.close()
    agent.hear("still here")


def test_bad_lines_and_unknown_things_are_answered_with_their_numbers(agent):
    def number(line):
        agent.write(line)
        return agent.receive()["error"]["code"]

    assert number(b"{nonsense") == -32700
    assert number(b"\xff") == -32700
    assert number(b"[1]") == -32600
    agent.write(b'{"id":[1],"result":{}}\n{"id":{},"error":null}\n{"id":null,"result":1}')
    assert number(b'{"id":1,"method":"no/such"}') == -32601
    assert number(b'{"id":1,"method":"session/load","params":{"sessionId":"x"}}') == -32601
    assert number(b'{"id":1,"method":"session/prompt","params":{"sessionId":"x"}}') == -32002
    assert number(b'{"id":1,"method":"session/prompt","params":[]}') == -32002
    assert number(b'{"id":1,"method":7}') == -32601
    agent.write(b'{"method":"no/such/notification"}\n\n{"method":"session/cancel","params":{"sessionId":[]}}')
    assert agent.ask("/echo alive")["result"]["stopReason"] == "end_turn"


def test_a_child_stays_in_its_group_and_is_named_on_stderr(rehearsal):
    with rehearsal("--spawn-child") as agent:
        agent.begin()
        word, pid = agent.process.stderr.readline().split()
        assert word == b"child"
        assert os.getpgid(int(pid)) == agent.process.pid


def test_a_slow_start_holds_up_nothing_else(rehearsal):
    with rehearsal("--start-delay", "1000") as agent:
        agent.send(id="slow", method="session/new", params={"cwd": "/", "mcpServers": []})
        assert "result" in agent.call("initialize")
        assert agent.end() == 0


def test_it_hangs_at_the_request_that_it_was_told(rehearsal):
    with rehearsal("--hang-at", "session/new") as agent:
        agent.send(id="hanging", method="session/new", params={})
        assert "result" in agent.call("initialize")
        assert [message["id"] for message in agent.seen] == ["initialize"]
        assert agent.end() == 0


def test_it_dies_at_the_request_that_it_was_told(rehearsal):
    with rehearsal("--die-at", "initialize", "7") as agent:
        agent.send(id=0, method="initialize", params={})
        _, stderr = agent.process.communicate(timeout=LIMIT_S)
        assert agent.process.returncode == 7
        assert b"at initialize with status 7" in stderr


@pytest.mark.parametrize("place", ["session/load", "session/set_mode", "session/close", "authenticate"])
def test_it_hangs_and_dies_at_any_request(rehearsal, place):
    with rehearsal("--hang-at", place) as agent:
        agent.send(id="hanging", method=place, params={})
        assert agent.begin().session
        assert [message["id"] for message in agent.seen] == ["session/new"]
    with rehearsal("--die-at", place, "4") as agent:
        agent.send(id=0, method=place, params={})
        assert agent.process.wait(LIMIT_S) == 4


def test_a_slow_introduction_holds_up_nothing_else(rehearsal):
    with rehearsal("--initialize-delay", "1000") as agent:
        agent.send(id="slow", method="initialize", params={})
        agent.begin()
        assert [message["id"] for message in agent.seen] == ["session/new"]
    with rehearsal("--initialize-delay", "0.01") as agent:
        assert agent.greet()["protocolVersion"] == 1


def test_a_child_left_behind_outlives_the_agent_in_a_session_of_its_own(agent):
    agent.ask("/child 600")
    child = int(agent.said()[0].split()[1].rstrip("."))
    try:
        assert os.getsid(child) == child
        assert agent.end() == 0
        assert os.getsid(child) == child
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_batch_is_one_line(agent):
    agent.prompt("/batch both")
    batch = json.loads(agent.line())
    assert [message["params"]["update"]["content"]["text"] for message in batch] == ["both", "both"]
    assert agent.answer("prompt")["result"]["stopReason"] == "end_turn"


def test_one_that_outlives_its_stdin_ends_by_sigterm(rehearsal):
    with rehearsal("--with", "outlive-stdin") as agent:
        agent.begin().prompt("/say-later 0.05 still here")
        agent.answer("prompt")
        agent.process.stdin.close()
        agent.hear("still here")
        agent.process.terminate()
        assert agent.process.wait(LIMIT_S) == -signal.SIGTERM


def test_odd_ids_are_all_recognized_in_the_answers(rehearsal):
    with rehearsal("--with", "odd-ids") as agent:
        agent.begin().serves = {"_x/ask": {"result": {}}}
        agent.ask("\n".join(["/request _x/ask"] * 6))
        assert agent.said() == ['{"result": {}}'] * 6
    ids = [message["id"] for message in agent.seen if message.get("method") == "_x/ask"]
    assert ids == ['"1" é', -1, 2**64 + 1, 1.5, None, '"2" é']
