"""Whatever a client writes: we live, each of its requests gets one answer, and nothing else reaches our stdout."""

from collections import Counter

import pytest
from fuzzed_lines import lines_of
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from programs import FUZZ_AGENT
from strictness import LENIENT, answer_id, checked

BLOCK = b'[{"type":"text","text":"yes"},{"type":"resource","resource":{"uri":"file:///a","text":"b"}}]'
SERVER = b'[{"name":"tools","command":"/bin/true","args":["x"],"env":[{"name":"K","value":"v"}]}]'
WISHES = b'{"kiro_core":{"agent":7,"engine":"nobody","whenBusy":"reject","agentRequired":1},"traceparent":"x"}'
OPENING = {b"sessionId": b'"SESSION"', b"cwd": b'"CWD"', b"mcpServers": SERVER, b"_meta": WISHES}
METHODS = [
    (
        b"initialize",
        {
            b"protocolVersion": b"1",
            b"clientCapabilities": b'{"fs":{"readTextFile":true},"terminal":true,"session":{"notices":{}}}',
            b"clientInfo": b'{"name":"fuzz","version":"1"}',
        },
    ),
    (b"authenticate", {b"methodId": b"7"}),
    (b"session/new", {b"cwd": b'"/no/such/folder"', b"mcpServers": SERVER, b"_meta": WISHES}),
    (b"session/load", OPENING),
    (b"session/resume", {**OPENING, b"additionalDirectories": b'["CWD"]'}),
    (b"session/list", {b"cwd": b'"CWD"', b"cursor": b'"x"'}),
    (b"session/delete", {b"sessionId": b'"other"'}),
    (b"session/close", {b"sessionId": b'"other"'}),
    (b"session/set_mode", {b"sessionId": b'"SESSION"', b"modeId": b'"code"'}),
    (b"session/set_model", {b"sessionId": b'"SESSION"', b"modelId": b'"rehearsal-2"'}),
    (b"session/set_config_option", {b"sessionId": b'"SESSION"', b"configId": b'"model"', b"value": b'"rehearsal-1"'}),
    (b"session/prompt", {b"sessionId": b'"SESSION"', b"prompt": BLOCK, b"_meta": WISHES}),
    (b"session/fork", {b"sessionId": b'"SESSION"', b"cwd": b'"CWD"'}),
    (b"_kiro.dev/session/list", {b"cwd": b'"CWD"'}),
    (b"_session/terminate", {b"sessionId": b'"other"'}),
    (b"_example.dev/x", {b"sessionId": b'"SESSION"', b"x": b"1"}),
    (b"$/cancel_request", {b"requestId": b"1"}),
    (b"session/update", {b"sessionId": b'"SESSION"', b"update": b"{}"}),
    (b"", {}),
    (b"no/such", {b"sessionId": b'"SESSION"'}),
]
NOTES = [
    (b"session/cancel", {b"sessionId": b'"SESSION"'}),
    (b"$/cancel_request", {b"requestId": b'"a"'}),
    (b"_kiro.dev/session/terminate", {b"sessionId": b'"other"'}),
    (b"_example.dev/x", {b"sessionId": b'"SESSION"'}),
    (b"no/such", {b"sessionId": b'"SESSION"'}),
    (b"session/prompt", {b"sessionId": b'"SESSION"', b"prompt": BLOCK}),
    (b"initialize", {b"protocolVersion": b"1"}),
]
ends = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b"\n\n"])
inputs = st.lists(st.tuples(lines_of(METHODS, NOTES), ends), min_size=10, max_size=40)


class Connection:
    """One program for many examples: what it owed in all its life, and what it has answered."""

    def __init__(self, place):
        self._place = place
        self._begin()

    def _begin(self):
        self.far = self._place.start(engines={"fuzzed": FUZZ_AGENT})
        self._owed, self._answered, self._seen = Counter(), Counter(), 0
        self.session = self.far.begin()
        self._seen = len(self.far.lines)
        self.failed = False

    def try_out(self, lines, pieces):
        """Write lines, in pieces of these sizes, and wait until each has the answer that it must have."""
        if self.failed:  # smaller ones are tried now
            self.far.destroy()
            self._begin()
        self.failed = True
        data = b"".join(line.raw + end for line, end in lines)
        data = data.replace(b"SESSION", self.session.encode()).replace(b"CWD", self.far.cwd.encode())
        for size in pieces:
            self.far.write(data[:size])
            data = data[size:]
        self.far.write(data)
        self._owed.update(line.id for line, _ in lines if line.id is not None)
        self.far.until(self._all_is_answered)
        self._goes_on()
        self.failed = False

    def _all_is_answered(self):
        while self._seen < len(self.far.lines):
            line = self.far.lines[self._seen]
            self._seen += 1
            if b'"method"' in line and LENIENT.encode() in line:
                continue
            id_ = answer_id(line)
            checked(line if id_ is None else line.replace(id_, b"0", 1))
            if id_ is not None:
                self._answered[id_] += 1
                assert self._answered[id_] <= self._owed[id_], f"nobody waits for {line[:500]}"
        return self._answered == self._owed

    def _goes_on(self):
        """It still serves, and what it began for this example alone is ended."""
        begun = {
            message["result"]["sessionId"] for message in self.far.messages if "sessionId" in message.get("result", ())
        }
        for session in begun - {self.session}:
            self._ask("session/close", sessionId=session)
        text = [{"type": "text", "text": "still here"}]
        answer = self._ask("session/prompt", sessionId=self.session, prompt=text)
        if "error" in answer:
            assert answer["error"]["code"] == -32002, answer
            self.session = self._ask("session/new", cwd=self.far.cwd, mcpServers=[])["result"]["sessionId"]
        self.far.messages.clear()

    def _ask(self, method, **params):
        id_ = f"good {self._seen}"
        self._owed[f'"{id_}"'.encode()] += 1
        answer = self.far.ask(method, id_, **params)
        self.far.until(self._all_is_answered)
        return answer


@pytest.fixture(scope="module")
def connection(shared_place):
    return Connection(shared_place)


@settings(
    max_examples=settings.default.max_examples // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(lines=inputs, pieces=st.lists(st.integers(1, 400), max_size=20))
def test_any_line_of_a_client_gets_its_one_answer_or_none(connection, count, lines, pieces):
    count(len(lines))
    connection.try_out(lines, pieces)
