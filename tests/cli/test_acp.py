"""What an editor starts: it is answered at once, and leaves nothing behind however it ends."""

import json
import os
import select
import signal
import subprocess
import sys

import pytest
import warm

GATED = """
import sys

class Gate:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"pydantic", "rich", "kiro_files"} or name == "kiro_core.settings.models":
            sys.meta_path.remove(self)
            open(GATE, "rb").close()  # returns when the test has opened the other end
        return None

sys.meta_path.insert(0, Gate())
from kiro_core.cli import main
main()
"""


class Editor:
    """The program that started the command, with one request at a time."""

    def __init__(self, cwd, environment, *command):
        self.cwd = str(cwd)
        self.process = warm.start(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=cwd, env=environment
        )
        self._count = 0
        self._read = b""

    def send(self, method, params):
        self._count += 1
        message = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()

    def read(self):
        while b"\n" not in self._read:
            ready, _, _ = select.select([self.process.stdout], [], [], 30)
            assert ready, "nothing came in time"
            chunk = os.read(self.process.stdout.fileno(), 65536)
            assert chunk, "it has ended"
            self._read += chunk
        line, _, self._read = self._read.partition(b"\n")
        return json.loads(line)

    def ask(self, method, **params):
        self.send(method, params)
        while (message := self.read()).get("id") != self._count:
            pass
        return message

    def begin(self):
        """A new session's id."""
        self.ask("initialize", protocolVersion=1)
        return self.ask("session/new", cwd=self.cwd, mcpServers=[])["result"]["sessionId"]

    def prompt(self, session, text):
        self.send("session/prompt", {"sessionId": session, "prompt": [{"type": "text", "text": text}]})

    def hang_up(self):
        self.process.stdin.close()
        self.process.stdin = None

    def ended(self):
        """Its exit code, and what it still had to say on stdout and stderr."""
        out, err = self.process.communicate(timeout=30)
        return self.process.returncode, [json.loads(line) for line in (self._read + out).splitlines()], err.decode()


@pytest.fixture
def editor(environment, tmp_path):
    opened = []

    def start(*arguments, program=(warm.PROGRAM,)):
        one = Editor(tmp_path, environment, *program, "acp", *arguments)
        opened.append(one)
        return one

    yield start
    for one in opened:
        one.process.kill()
        one.process.communicate()


def test_initialize_is_answered_before_settings_and_plugins_load(editor, tmp_path):
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    one = editor("--engine", "rehearsal", program=(sys.executable, "-c", f"GATE = {str(gate)!r}\n{GATED}"))
    assert one.ask("initialize", protocolVersion=1)["result"]["protocolVersion"] == 1
    gate.open("wb").close()  # it waits for the gate now, and has answered before
    assert one.ask("session/new", cwd=one.cwd, mcpServers=[])["result"]["sessionId"]


def test_a_conversation_goes_through(editor):
    one = editor("--engine", "rehearsal")
    session = one.begin()
    one.prompt(session, "/echo Hello")
    assert one.read()["params"]["update"]["content"]["text"] == "Hello"
    assert one.read()["result"]["stopReason"] == "end_turn"
    one.hang_up()
    assert one.ended() == (0, [], "")


@pytest.mark.parametrize(
    ("number", "code"), [(None, 0), (signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)]
)
def test_at_its_end_every_session_has_ended_and_is_free(editor, kiro, number, code):
    one = editor("--engine", "mem")
    one.ask("initialize", protocolVersion=1)
    sessions = [one.ask("session/new", cwd=one.cwd, mcpServers=[])["result"]["sessionId"] for _ in range(2)]
    for session in sessions:
        one.prompt(session, "/echo at work\n/hang")
        assert one.read()["params"]["update"]["content"]["text"] == "at work"
    if number is None:
        one.hang_up()
    else:
        one.process.send_signal(number)
    returned, answers, err = one.ended()
    assert (returned, err) == (code, "")
    assert [answer["result"] for answer in answers] == [{"stopReason": "cancelled"}] * 2
    for session in sessions:
        again = kiro("run", "--session", session, "/echo back")
        assert (again.returncode, again.stdout) == (0, "back\n")


def test_wrong_settings_answer_every_later_request_and_are_told_on_stderr(editor):
    one = editor("--set", "limits.start=9")
    assert "result" in one.ask("initialize", protocolVersion=1)
    for method in ("session/new", "session/list"):
        error = one.ask(method, cwd=one.cwd, mcpServers=[])["error"]
        assert error["data"]["code"] == "SETTINGS_INVALID"
        assert "'limits.start'" in error["message"]
    one.hang_up()
    code, answers, err = one.ended()
    assert (code, answers) == (0, [])
    assert err.startswith("kiro-core: Settings: there is no key 'limits.start'")


def test_the_agent_of_the_command_line_is_used(editor, home):
    (home / "agents").mkdir()
    (home / "agents" / "polite.json").write_text(json.dumps({"name": "polite", "prompt": "Say please."}))
    one = editor("--engine", "rehearsal", "--agent", "polite")
    one.ask("initialize", protocolVersion=1)
    answer = one.ask("session/new", cwd=one.cwd, mcpServers=[])["result"]
    assert answer["_meta"]["kiro_core"]["agent"] == "polite"


def test_a_session_that_an_editor_has_open_can_be_listed(editor, kiro):
    one = editor("--engine", "rehearsal")
    session = one.begin()
    listed = kiro("sessions", "list", "--json")
    assert [info["id"] for info in json.loads(listed.stdout)] == [session]
