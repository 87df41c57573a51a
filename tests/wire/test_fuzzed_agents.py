"""Whatever an agent writes: we live, each of its requests gets one answer, and our client gets only whole messages."""

import json
from base64 import b64decode, b64encode
from collections import Counter

import pytest
from fuzzed_lines import lines_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import FUZZ_AGENT
from strictness import answer_id, checked

OPTIONS = b'[{"optionId":"y","name":"Yes","kind":"allow_once"},{"optionId":"n","name":"No","kind":"reject_once"}]'
FORM = b'{"type":"object","properties":{"a":{"type":"string"}}}'
HERE = {b"sessionId": b'"theirs"'}
THERE = {b"sessionId": b'"SESSION"'}
METHODS = [
    (b"session/request_permission", {**HERE, b"toolCall": b'{"toolCallId":"t"}', b"options": OPTIONS}),
    (b"fs/read_text_file", {**HERE, b"path": b'"CWD/a"', b"line": b"1", b"limit": b"2"}),
    (b"fs/write_text_file", {**HERE, b"path": b'"CWD/a"', b"content": b'"x"'}),
    (
        b"terminal/create",
        {**HERE, b"command": b'"true"', b"args": b'["x"]', b"cwd": b'"CWD"', b"outputByteLimit": b"9"},
    ),
    (b"terminal/output", {**HERE, b"terminalId": b'"t"'}),
    (b"terminal/wait_for_exit", {**HERE, b"terminalId": b'"t"'}),
    (b"terminal/kill", {**HERE, b"terminalId": b'"t"'}),
    (b"terminal/release", {**HERE, b"terminalId": b'"t"'}),
    (b"elicitation/create", {**HERE, b"mode": b'"form"', b"message": b'"?"', b"requestedSchema": FORM}),
    (b"_example.dev/x", {**HERE, b"x": b"1"}),
    (b"_example.dev/forged", THERE),
    (b"craft/drainMidTurnQueue", HERE),
    (b"session/update", {**HERE, b"update": b"{}"}),
    (b"session/prompt", {**HERE, b"prompt": b"[]"}),
    (b"initialize", {b"protocolVersion": b"1"}),
    (b"$/cancel_request", {b"requestId": b"1"}),
    (b"", {}),
]
UPDATE = b'{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"x"}}'
UPDATES = [
    UPDATE,
    b'{"sessionUpdate":"config_option_update","configOptions":[{"id":"model","category":"model"},7,{}]}',
    b'{"sessionUpdate":"session_info_update","title":"T"}',
    b'{"sessionUpdate":"current_mode_update","currentModeId":"code"}',
    b'{"sessionUpdate":"tool_call_update","toolCallId":"t","content":[{"type":"terminal","terminalId":"t"},7]}',
    b'{"sessionUpdate":"never_seen","x":{}}',
]
NOTES = [
    *((b"session/update", {**HERE, b"update": update}) for update in UPDATES),
    (b"session/update", {b"sessionId": b'"a child"', b"update": UPDATE}),
    (b"session/update", {**THERE, b"update": UPDATE}),
    (b"_kiro.dev/mcp/server_initialized", {**HERE, b"serverName": b'"x"'}),
    (b"_example.dev/x", HERE),
    (b"qwen/notify/session/mode-update", HERE),
    (b"elicitation/complete", {b"elicitationId": b'"e"'}),
    (b"$/cancel_request", {b"requestId": b'"a"'}),
    (b"session/cancel", HERE),
]
EVERYTHING = {
    "fs": {"readTextFile": True, "writeTextFile": True},
    "terminal": True,
    "elicitation": {"form": {}, "url": {}},
    "session": {"notices": {}, "configOptions": {"boolean": {}}},
}


class Connection:
    """A program with an agent behind it, for many examples."""

    def __init__(self, place, offers):
        self._place, self._offers = place, offers
        self._begin()

    def _begin(self):
        self._far = self._place.start(engines={"fuzz": FUZZ_AGENT})
        self._far.answers["session/request_permission"] = {"outcome": {"outcome": "selected", "optionId": "allow_once"}}
        self._session = self._far.begin(**self._offers)
        self._failed = False

    def try_out(self, lines):
        """Let the agent write lines, and judge what it and we get of that."""
        if self._failed:  # smaller ones are tried now
            self._far.destroy()
            self._begin()
        self._failed = True
        said = b"".join(line.raw + b"\n" for line in lines)
        said = said.replace(b"SESSION", self._session.encode()).replace(b"CWD", self._far.cwd.encode())
        owed = Counter(line.id for line in lines if line.id is not None and not line.noise)
        del self._far.lines[:], self._far.messages[:]
        text = f"/write {b64encode(said).decode()} {owed.total()}"
        answer = self._far.prompt(self._session, text)
        assert answer["result"]["stopReason"] == "end_turn", answer
        heard = [b64decode(line) for line in answer["result"]["_meta"]["heard"]]
        assert Counter(map(_answered, heard)) == owed
        self._judge_ours([_bare(line) for line in said.split(b"\n")])
        self._failed = False

    def _judge_ours(self, said):
        answers = [message for message in self._far.messages if "method" not in message]
        assert len(answers) == 1, answers
        for line in self._far.lines:
            try:
                checked(line)
            except AssertionError:
                # Only what the agent said so itself may be less than exact.
                assert _bare(line) in said, line


def _answered(line):
    """The id of an answer that the agent got, which has to be exact but for an id that the agent invented."""
    id_ = answer_id(line)
    checked(line.replace(id_, b"0", 1))
    return id_


def _bare(line):
    """A message without what we may change in it."""
    try:
        message = json.loads(line.decode(errors="replace"), parse_constant=str, parse_int=str)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict):
        return None
    message["id"] = None
    if isinstance(message.get("params"), dict):
        message["params"]["sessionId"] = None
    return message


@pytest.fixture(scope="module", params=[{}, EVERYTHING], ids=["offers nothing", "offers everything"])
def connection(shared_place, request):
    return Connection(shared_place, request.param)


@settings(
    max_examples=settings.default.max_examples // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(lines=st.lists(lines_of(METHODS, NOTES), min_size=10, max_size=40))
def test_any_line_of_an_agent_gets_its_one_answer_or_none(connection, count, lines):
    count(len(lines))
    connection.try_out(lines)
