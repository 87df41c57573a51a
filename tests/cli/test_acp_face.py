"""`kiro-core acp` as an editor meets it: raw lines on the stdin and stdout of the real program."""

import json
import os
import select
import signal
import subprocess
import sys

import pytest
import warm

COMMAND = [warm.PROGRAM, "acp", "--engine", "rehearsal"]
DEADLINE_S = 30


class Program:
    """The far end: it writes lines, and reads each answer within a deadline."""

    def __init__(self, *options, env=None, command=COMMAND):
        pipe = subprocess.PIPE
        env = {**os.environ, **(env or {})}
        self.process = warm.start([*command, *options], stdin=pipe, stdout=pipe, stderr=pipe, bufsize=0, env=env)
        self.seen = []
        self._rest = b""

    def write(self, *messages):
        lines = [m if isinstance(m, bytes) else json.dumps({"jsonrpc": "2.0", **m}).encode() for m in messages]
        self.process.stdin.write(b"".join(line + b"\n" for line in lines))

    def read(self):
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self.process.stdout], [], [], DEADLINE_S)
            assert ready, f"nothing within {DEADLINE_S} s"
            chunk = self.process.stdout.read(65536)
            assert chunk, f"ended: {self.process.stderr.read().decode()}"
            self._rest += chunk
        line, self._rest = self._rest.split(b"\n", 1)
        self.seen.append(json.loads(line))
        return self.seen[-1]

    def answer(self, id_):
        while (message := self.read()).get("id") != id_ or "method" in message:
            pass
        return message

    def ask(self, id_, method, **params):
        self.write({"id": id_, "method": method, "params": params})
        return self.answer(id_)

    def begin(self, cwd="/"):
        self.ask(0, "initialize", protocolVersion=1, clientCapabilities={})
        return self.ask("new", "session/new", cwd=str(cwd), mcpServers=[])["result"]["sessionId"]

    def prompt(self, id_, session, text):
        content = [{"type": "text", "text": text}]
        return {"id": id_, "method": "session/prompt", "params": {"sessionId": session, "prompt": content}}

    def text(self, session):
        updates = [m["params"]["update"] for m in self.seen if m.get("params", {}).get("sessionId") == session]
        return "".join(u["content"]["text"] for u in updates if u.get("sessionUpdate") == "agent_message_chunk")

    def end(self):
        self.process.stdin.close()
        rest = self._rest + self.process.stdout.read()
        self.seen += [json.loads(line) for line in rest.splitlines()]
        return self.process.wait(DEADLINE_S)


@pytest.fixture
def start():
    programs = []

    def started(*options, **more):
        programs.append(Program(*options, **more))
        return programs[-1]

    yield started
    for program in programs:
        if program.process.poll() is None:
            program.process.kill()
        program.process.wait(DEADLINE_S)
        for pipe in (program.process.stdin, program.process.stdout, program.process.stderr):
            pipe.close()


def kinds(home, session):
    lines = (home / f"sessions/core/{session}.jsonl").read_bytes().splitlines()
    return [json.loads(line)["body"]["kind"] for line in lines]


def test_an_unsupported_version_is_answered_with_ours(start):
    answer = start().ask(1, "initialize", protocolVersion=99)
    assert answer["result"]["protocolVersion"] == 1
    assert answer["result"]["agentInfo"]["name"] == "kiro_core"


def test_initialize_is_answered_before_the_settings_are_read_and_their_failure_answers_what_follows(start, tmp_path):
    config = tmp_path / "kiro.toml"
    config.write_text('stoer = "files"\n')
    program = start("--config", str(config))
    assert "result" in program.ask(1, "initialize", protocolVersion=1)
    error = program.ask(2, "session/new", cwd="/", mcpServers=[])["error"]
    assert error["data"]["code"] == "SETTINGS_INVALID"
    assert "stoer" in error["message"]
    assert "store" in error["message"]
    assert program.ask(3, "session/list")["error"]["data"]["code"] == "SETTINGS_INVALID"


def test_nothing_but_protocol_reaches_stdout_even_from_a_plugin_that_prints(start, tmp_path):
    (tmp_path / "noisy.py").write_text(
        "import os, sys\nprint('noise')\nsys.stdout.flush()\n"
        "os.write(1, b'more noise\\n')\nos.system('echo even more')\n"
        "from kiro_core import hookimpl\n@hookimpl\ndef kiro_stores():\n    print('noise again')\n    return ()\n"
    )
    info = tmp_path / "noisy-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: noisy\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[kiro_core]\nnoisy = noisy\n")
    program = start(env={"PYTHONPATH": str(tmp_path)})
    session = program.begin()
    program.write(program.prompt(1, session, "hello"))
    program.answer(1)
    assert program.end() == 0
    stderr = program.process.stderr.read().decode()
    for noise in ("noise", "more noise", "even more", "noise again"):
        assert noise in stderr


def test_a_conversation_streams_before_its_answer_and_is_in_the_list(start, tmp_path):
    program = start()
    session = program.begin(tmp_path)
    program.write(program.prompt(1, session, "What a morning"))
    assert program.answer(1)["result"]["stopReason"] == "end_turn"
    assert "What a morning" in program.text(session)
    (listed,) = program.ask(2, "session/list", cwd=str(tmp_path))["result"]["sessions"]
    assert (listed["sessionId"], listed["title"]) == (session, "What a morning")
    assert program.ask(3, "session/close", sessionId=session)["result"] == {}
    assert program.ask(4, "session/load", sessionId=session, cwd=str(tmp_path), mcpServers=[])["result"]["_meta"]
    assert program.end() == 0


def test_a_session_is_not_spoken_of_before_the_answer_that_announces_it(start, tmp_path):
    config = tmp_path / "kiro.toml"
    command = json.dumps([sys.executable, "-P", "-m", "kiro_core.rehearsal", "--mcp", "docs=initialized"])
    config.write_text(f"[engines.early]\ncommand = {command}\n")
    program = start("--config", str(config), command=[*COMMAND[:2], "--engine", "early"])
    session = program.begin()
    answered = next(i for i, m in enumerate(program.seen) if m.get("id") == "new")
    program.write(program.prompt(1, session, "hello"))
    program.answer(1)
    early = [m for m in program.seen[:answered] if m.get("params", {}).get("sessionId")]
    late = [m["method"] for m in program.seen[answered:] if "method" in m]
    assert early == []
    assert "_kiro.dev/mcp/server_initialized" in late


def test_a_cancel_in_the_same_write_as_its_prompt_cancels_it(start):
    program = start()
    session = program.begin()
    cancel = {"method": "session/cancel", "params": {"sessionId": session}}
    program.write(program.prompt(1, session, "/sleep 60"), cancel)
    assert program.answer(1)["result"]["stopReason"] == "cancelled"


def test_a_prompt_that_is_taken_back_is_answered_as_cancelled_and_the_session_goes_on(start):
    program = start()
    session = program.begin()
    program.write(program.prompt("p", session, "begun\n/sleep 60"))
    while "begun" not in program.text(session):
        program.read()
    program.write({"method": "$/cancel_request", "params": {"requestId": "p"}})
    assert program.answer("p")["error"]["code"] == -32800
    program.write(program.prompt("q", session, "and on"))
    assert program.answer("q")["result"]["stopReason"] == "end_turn"


def test_two_sessions_of_one_editor_never_mix(start):
    program = start()
    first, second = program.begin(), program.begin()
    program.write(program.prompt(1, first, "apple\n/flood 200 30"), program.prompt(2, second, "pear\n/flood 200 30"))
    program.answer(1)
    if not any(m.get("id") == 2 and "result" in m for m in program.seen):
        program.answer(2)
    assert "apple" in program.text(first)
    assert "pear" not in program.text(first)
    assert "pear" in program.text(second)
    assert "apple" not in program.text(second)


@pytest.mark.parametrize(
    ("line", "number", "id_"),
    [
        (b"not json", -32700, None),
        (b"[]", -32600, None),
        (b'{"id":5}', -32600, 5),
        (b'{"id":6,"method":7}', -32600, 6),
        (b'{"id":7,"method":"no/such"}', -32601, 7),
        (b'{"id":8,"method":"session/new","params":{"cwd":"relative"}}', -32602, 8),
        (b'{"id":9,"method":"session/prompt","params":{}}', -32602, 9),
        (b'{"id":10,"method":"session/prompt","params":{"sessionId":"x","prompt":"text"}}', -32602, 10),
        (b'{"id":11,"method":"session/close","params":{"sessionId":"x"}}', -32002, 11),
        (b'{"id":12,"method":"session/load","params":{"sessionId":"../x","cwd":"/"}}', -32002, 12),
        (b'{"id":"\\ud83d","method":"no/such"}', -32601, "\ud83d"),
    ],
)
def test_a_bad_line_is_answered_and_the_connection_lives(start, line, number, id_):
    program = start()
    session = program.begin()
    program.write(line)
    error = program.answer(id_)["error"]
    assert error["code"] == number
    assert error["message"].endswith(".") or error["message"].split()
    program.write(program.prompt("p", session, "still there?"))
    assert program.answer("p")["result"]["stopReason"] == "end_turn"


def test_long_lines_pass_in_both_directions(start):
    program = start()
    session = program.begin()
    program.write(program.prompt(1, session, "/big 3000000\n/echo " + "x" * 3_000_000))
    program.answer(1)
    assert len(program.text(session)) >= 6_000_000


def test_the_end_of_stdin_answers_what_is_open_and_ends_everything(start, home):
    program = start()
    session = program.begin()
    program.write(program.prompt(1, session, "begun\n/sleep 60"))
    while "begun" not in program.text(session):
        program.read()
    assert program.end() == 0
    assert next(m for m in program.seen if m.get("id") == 1)["result"]["stopReason"] == "cancelled"
    assert kinds(home, session)[-3:] == ["turn_ended", "process_ended", "closed"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_answers_what_is_open_and_ends_even_agents_that_ignore_it(start, home, number):
    program = start()
    session = program.begin()
    program.write(program.prompt(1, session, "/ignore-term\nbegun\n/hang"))
    while "begun" not in program.text(session):
        program.read()
    program.process.send_signal(number)
    assert program.answer(1)["result"]["stopReason"] == "cancelled"
    assert program.process.wait(DEADLINE_S) == 128 + number
    assert kinds(home, session)[-3:] == ["turn_ended", "process_ended", "closed"]
    again = start()
    again.ask(0, "initialize", protocolVersion=1)
    assert "result" in again.ask(1, "session/load", sessionId=session, cwd="/", mcpServers=[])
