"""Editors are killed, and the desk itself: the turn goes on, and what was cut off is named."""

import json
import os
import select
import subprocess
import time
from pathlib import Path

import pytest
import warm

FLOOD = "/echo begun;\n/flood 20000 100"


class Program:
    """An editor that starts `kiro-core acp` and agrees to everything; `chunks` are the agent's words."""

    def __init__(self, environment, cwd):
        self.cwd = str(cwd)
        self.process = warm.start(
            [warm.PROGRAM, "acp"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=cwd,
            env=environment,
        )
        self.chunks = []
        self._count, self._read = 0, b""
        self.ask("initialize", protocolVersion=1)

    def begin(self, method, **params):
        self._count += 1
        self.send(id=self._count, method=method, params=params)
        return self._count

    def send(self, **message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def read(self):
        while b"\n" not in self._read:
            ready, _, _ = select.select([self.process.stdout], [], [], 60)
            assert ready, "nothing came in time"
            chunk = os.read(self.process.stdout.fileno(), 1 << 20)
            assert chunk, "it has ended"
            self._read += chunk
        line, _, self._read = self._read.partition(b"\n")
        message = json.loads(line)
        update = message.get("params", {}).get("update", {})
        if update.get("sessionUpdate") == "agent_message_chunk":
            self.chunks.append(update["content"]["text"])
        if message.get("method") == "session/request_permission":
            chosen = message["params"]["options"][0]["optionId"]
            self.send(id=message["id"], result={"outcome": {"outcome": "selected", "optionId": chosen}})
        return message

    def answer(self, number):
        while (message := self.read()).get("id") != number or "method" in message:
            pass
        return message

    def ask(self, method, **params):
        return self.answer(self.begin(method, **params))

    def new(self):
        return self.ask("session/new", cwd=self.cwd, mcpServers=[])["result"]["sessionId"]

    def prompt(self, session, text):
        return self.begin("session/prompt", sessionId=session, prompt=[{"type": "text", "text": text}])

    def until_said(self, text):
        while text not in "".join(self.chunks):
            self.read()

    def end(self):
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()


@pytest.fixture
def program(environment, tmp_path):
    started = []

    def start():
        started.append(Program(environment, tmp_path))
        return started[-1]

    yield start
    for each in started:
        if each.process.returncode is None:
            each.end()


def agents_alive(folder):
    """The rehearsal agents of this test, by their working directory."""
    found = []
    for entry in Path("/proc").iterdir() if Path("/proc/self/cwd").exists() else ():
        try:
            if entry.name.isdigit() and b"rehearsal" in (entry / "cmdline").read_bytes():
                found += [entry.name] if (entry / "cwd").readlink() == folder else []
        except OSError:
            continue
    return found


def recorded(kiro, session):
    return json.loads(kiro("sessions", "show", session, "--json").stdout)["records"]


def words(records):
    """What the agent said, as it is on record."""
    updates = [record["data"]["params"]["update"] for record in records if record["kind"] == "update"]
    return [update["content"]["text"] for update in updates if update["sessionUpdate"] == "agent_message_chunk"]


def test_an_editor_is_killed_in_mid_turn_and_a_new_one_has_everything(serve, program, kiro):
    serve().ready()
    first = program()
    session = first.new()
    first.prompt(session, "/echo begun;\n/sleep 1\n/permission go on\n/echo done;")
    first.until_said("begun;")
    first.end()
    second = program()
    assert "result" in second.ask("session/load", sessionId=session, cwd=second.cwd, mcpServers=[])
    second.until_said("done;")
    assert "".join(second.chunks).count("begun;") == "".join(second.chunks).count("done;") == 1
    assert second.answer(second.prompt(session, "/echo and on;"))["result"]["stopReason"] == "end_turn"
    ends = [record["data"]["state"] for record in recorded(kiro, session) if record["kind"] == "turn_ended"]
    assert ends == ["settled", "settled"]


def test_the_desk_is_killed_under_load_and_every_turn_has_an_outcome(serve, program, kiro, tmp_path):
    desk = serve()
    desk.ready()
    editors = [program() for _ in range(3)]
    sessions = [editor.new() for editor in editors]
    running = [editor.prompt(session, FLOOD) for editor, session in zip(editors, sessions, strict=True)]
    waiting = [editor.prompt(session, "/echo second;") for editor, session in zip(editors, sessions, strict=True)]
    for editor in editors:
        editor.until_said("begun;")
    desk.process.kill()
    desk.process.wait()
    for editor, *turns in zip(editors, running, waiting, strict=True):
        for turn in turns:
            assert editor.answer(turn)["error"]["message"], "a sentence, and at once"
    deadline = time.monotonic() + 20
    while agents_alive(tmp_path) and time.monotonic() < deadline:
        os.sched_yield()
    assert agents_alive(tmp_path) == []
    serve().ready()
    for editor, session in zip(editors, sessions, strict=True):
        answered = editor.answer(editor.prompt(session, "/echo third;"))
        assert answered["result"]["stopReason"] == "end_turn", "the same editor goes on in the next desk"
        records = recorded(kiro, session)
        said = [word for word in editor.chunks if not word.startswith("[kiro_core]")]
        assert "".join(said) == "".join(words(records)), "nothing is lost, and nothing is shown twice"
        accepted = {record["turn"] for record in records if record["kind"] == "prompt"}
        ends = {record["turn"]: record["data"]["state"] for record in records if record["kind"] == "turn_ended"}
        begun = {record["turn"] for record in records if record["kind"] == "turn_begun"}
        assert begun <= ends.keys() <= accepted
        assert next(iter(ends.values())) == "unknown"
        assert list(ends.values())[-1] == "settled"
        assert kiro("sessions", "verify", session).returncode == 0
