"""Desks that find each other: several in one process, and real programs in processes of their own."""

import json
import os
import select
import subprocess
import sys
from contextlib import asynccontextmanager

import pytest
import warm

from kiro_core import Frame, Registry, load_settings, open_desk
from kiro_core.journal import entry
from kiro_core.types import SessionId

REHEARSAL = [sys.executable, "-P", "-m", "kiro_core.rehearsal"]


class Place:
    """One desk and one client of it, with the verbs as short calls."""

    def __init__(self, desk, agent, client, cwd):
        self.desk, self.agent, self.client, self.cwd = desk, agent, client, str(cwd)

    async def new(self, **wishes):
        params = {"cwd": self.cwd, "mcpServers": [], "_meta": {"kiro_core": wishes}}
        return (await self.agent.new(Frame.of("session/new", params, id=0))).result["sessionId"]

    async def load(self, session, *, replay=True, **wishes):
        params = {"sessionId": session, "cwd": self.cwd, "mcpServers": [], "_meta": {"kiro_core": wishes}}
        method = "session/load" if replay else "session/resume"
        return await self.agent.open(Frame.of(method, params, id=0), replay=replay)

    async def ask(self, session, text, **wishes):
        prompt = [{"type": "text", "text": text}]
        params = {"sessionId": session, "prompt": prompt, "_meta": {"kiro_core": wishes}}
        return await self.agent.prompt(Frame.of("session/prompt", params, id=0))

    async def prompt(self, session, text):
        return await (await self.ask(session, text)).settled()

    async def call(self, method, session, **params):
        return await self.agent.call(Frame.of(method, {"sessionId": session, **params}, id=0))

    async def cancel(self, session):
        await self.agent.cancel(Frame.of("session/cancel", {"sessionId": session}))

    async def close(self, session):
        await self.agent.close(Frame.of("session/close", {"sessionId": session}, id=0))

    async def kinds(self, session):
        return [entry(record).kind async for record in self.desk.read(SessionId(session))]


@pytest.fixture
def settings():
    """Settings with the rehearsal agent, which remembers its sessions as engine `mem`."""

    def load(**changes):
        memory = [*REHEARSAL, "--memory", os.environ["HOME"] + "/memory"]
        return load_settings({"engine": "mem", "engines": {"mem": {"command": memory}}, **changes})

    return load


@pytest.fixture
def desk(settings, tmp_path):
    """`async with desk(client) as place`: a desk as a command opens it, and that client attached."""

    @asynccontextmanager
    async def opened(client, face="acp", *, changes=None, **options):
        loaded = settings(**(changes or {}))
        async with open_desk(loaded, Registry(), face=face, **options) as desk, desk.attach(client) as agent:
            yield Place(desk, agent, client, tmp_path)

    return opened


class Editor:
    """A `kiro-core acp` in a process of its own; what it says besides answers is kept in `updates`."""

    def __init__(self, environment, cwd, *options):
        self.cwd = str(cwd)
        self.process = warm.start(
            [warm.PROGRAM, "acp", *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=cwd, env=environment
        )
        self.updates = []
        self._answers = {}
        self._count = 0
        self._read = b""
        self.ask("initialize", protocolVersion=1)

    def send(self, method, **params):
        """Send a request; its id."""
        self._count += 1
        message = {"jsonrpc": "2.0", "id": self._count, "method": method, "params": params}
        self.process.stdin.write(json.dumps(message).encode() + b"\n")
        self.process.stdin.flush()
        return self._count

    def answer(self, id_):
        """Read on until that request is answered."""
        while id_ not in self._answers:
            self.read()
        return self._answers.pop(id_)

    def ask(self, method, **params):
        return self.answer(self.send(method, **params))

    def new(self):
        return self.ask("session/new", cwd=self.cwd, mcpServers=[])["result"]["sessionId"]

    def load(self, session):
        return self.ask("session/load", sessionId=session, cwd=self.cwd, mcpServers=[])

    def prompt(self, session, text):
        """Send a prompt; its id."""
        return self.send("session/prompt", sessionId=session, prompt=[{"type": "text", "text": text}])

    def said(self, session=None):
        """What the agent has said, in one text."""
        return "".join(
            told["update"]["content"]["text"]
            for told in self.updates
            if session in (None, told["sessionId"]) and told["update"]["sessionUpdate"] == "agent_message_chunk"
        )

    def until(self, text):
        """Read on until the agent has said that."""
        while text not in self.said():
            self.read()

    def read(self):
        while b"\n" not in self._read:
            ready, _, _ = select.select([self.process.stdout], [], [], 30)
            assert ready, "nothing came in time"
            chunk = os.read(self.process.stdout.fileno(), 65536)
            assert chunk, "it has ended"
            self._read += chunk
        line, _, self._read = self._read.partition(b"\n")
        message = json.loads(line)
        if message.get("method") == "session/update":
            self.updates.append(message["params"])
        elif "method" not in message:
            self._answers[message["id"]] = message
        return message

    def kill(self):
        self.process.kill()
        self.process.wait(30)

    def hang_up(self):
        """Close its stdin and wait for its end; the exit code."""
        self.process.stdin.close()
        return self.process.wait(30)


@pytest.fixture
def environment(home):
    """Without any agent program but one, which remembers its sessions."""
    home.mkdir(exist_ok=True)
    memory = [*REHEARSAL, "--memory", str(home / "memory")]
    (home / "kiro.toml").write_text(f'engine = "mem"\n[engines.mem]\ncommand = {json.dumps(memory)}\n')
    return os.environ | {"PATH": str(home / "bin")}


@pytest.fixture
def editor(environment, tmp_path):
    """Start `kiro-core acp` with options; all are killed at the end."""
    started = []

    def start(*options):
        started.append(Editor(environment, tmp_path, *options))
        return started[-1]

    yield start
    for one in started:
        one.kill()
        one.process.stdout.close()
        one.process.stdin.close()


@pytest.fixture
def kiro(environment, tmp_path):
    """Run a command to its end."""

    def run(*arguments):
        return warm.run([warm.PROGRAM, *arguments], cwd=tmp_path, env=environment)

    return run
