"""A served desk as the real program, and clients that speak with it from outside."""

import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import warm

BOUND_S = 30


def line_of(stream):
    """The next line of a pipe, within a bound; `""` at its end."""
    line = b""
    while not line.endswith(b"\n"):
        ready, _, _ = select.select([stream], [], [], BOUND_S)
        assert ready, f"nothing came after {line!r}"
        part = os.read(stream.fileno(), 1)
        if not part:
            break
        line += part
    return line.decode()


class Desk:
    """`kiro-core serve` in the foreground."""

    def __init__(self, environment, cwd, *arguments, command=(warm.PROGRAM, "serve"), **more):
        pipe = subprocess.PIPE
        self.process = warm.start(
            [*command, *arguments], stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, cwd=cwd, env=environment, **more
        )
        self.pid = self.process.pid

    def ready(self):
        """Wait until it serves; the line that says so."""
        line = line_of(self.process.stdout)
        assert line, f"it has ended: {self.process.stderr.read().decode()}"
        return line.rstrip("\n")

    def until_logged(self, text):
        """Read its log up to a line with that text; the line."""
        while text not in (line := line_of(self.process.stderr)):
            assert line, f"it has ended without {text!r}"
        return line

    def ended(self):
        """Its exit code, and what it still had to say on stderr."""
        _, err = self.process.communicate(timeout=BOUND_S)
        return self.process.returncode, err.decode()


class Editor:
    """A client at the socket of the face `acp`."""

    def __init__(self, path, cwd):
        self.cwd = str(cwd)
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(BOUND_S)
        self.socket.connect(str(path))
        self._lines = self.socket.makefile("rb")
        self._count = 0
        self.ask("initialize", protocolVersion=1)

    def send(self, **message):
        self.socket.sendall(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")

    def begin(self, method, **params):
        """Send a request; its id."""
        self._count += 1
        self.send(id=self._count, method=method, params=params)
        return self._count

    def read(self):
        line = self._lines.readline()
        assert line, "it hung up"
        return json.loads(line)

    def until(self, matches):
        while not matches(message := self.read()):
            pass
        return message

    def answer(self, number):
        return self.until(lambda message: message.get("id") == number and "method" not in message)

    def ask(self, method, **params):
        return self.answer(self.begin(method, **params))

    def session(self):
        return self.ask("session/new", cwd=self.cwd, mcpServers=[])["result"]["sessionId"]

    def prompt(self, session, text):
        return self.begin("session/prompt", sessionId=session, prompt=[{"type": "text", "text": text}])

    def until_said(self, text):
        self.until(lambda message: text in json.dumps(message.get("params", {})))

    def question(self):
        """Wait for the agent's question; its id."""
        return self.until(lambda message: message.get("method") == "session/request_permission")["id"]

    def allow(self, question):
        self.send(id=question, result={"outcome": {"outcome": "selected", "optionId": "once"}})

    def close(self):
        self._lines.close()
        self.socket.close()


@pytest.fixture
def environment(home, tmp_path):
    """Without any agent program but one, which remembers its sessions and is the default."""
    home.mkdir(exist_ok=True)
    remembering = [sys.executable, "-P", "-m", "kiro_core.rehearsal", "--memory", str(tmp_path / "memory")]
    (home / "kiro.toml").write_text(f'engine = "mem"\n[engines.mem]\ncommand = {json.dumps(remembering)}\n')
    return os.environ | {"PATH": str(tmp_path / "bin")}


@pytest.fixture
def folder():
    """A folder of this user alone, whose path is short enough for a socket's."""
    path = Path(tempfile.mkdtemp(prefix="kc-", dir="/tmp"))
    yield path
    shutil.rmtree(path)


@pytest.fixture
def place(folder):
    """Where the face `acp` is."""
    return folder / "acp.sock"


@pytest.fixture
def serve(environment, tmp_path, place):
    """Start a desk with the face `acp` at `place`; `ready` waits for it."""
    started = []

    def start(*arguments, faces=None, **more):
        faces = [f'{{use="acp", socket="{place}"}}'] if faces is None else faces
        desk = Desk(more.pop("env", environment), tmp_path, "--set", f"serve=[{', '.join(faces)}]", *arguments, **more)
        started.append(desk)
        return desk

    yield start
    for desk in started:
        desk.process.kill()
        desk.process.communicate()


@pytest.fixture
def editor(place, tmp_path):
    opened = []

    def connect(path=place):
        opened.append(Editor(path, tmp_path))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def kiro(environment, tmp_path):
    def run(*arguments, env=None):
        return warm.run([warm.PROGRAM, *arguments], cwd=tmp_path, env=env or environment)

    return run
