"""The rehearsal agent as a process, and the plainest client there can be."""

import json
import os
import select
import signal
import subprocess
import sys

import pytest

LIMIT_S = 20
COMMAND = (sys.executable, "-P", "-m", "kiro_core.rehearsal")


class Rehearsal:
    """An agent that runs; `serves` holds how its client answers requests: a result or an error, by method."""

    def __init__(self, *arguments):
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [*COMMAND, *map(str, arguments)], stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        self.rest = b""
        self.seen = []
        self.session = ""
        self.serves = {}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with self.process:
            if self.process.returncode is None:
                os.killpg(self.process.pid, signal.SIGKILL)

    def write(self, line):
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()

    def send(self, **message):
        self.write(json.dumps({"jsonrpc": "2.0", **message}).encode())

    def line(self):
        while b"\n" not in self.rest:
            assert select.select([self.process.stdout], [], [], LIMIT_S)[0], "the agent says nothing"
            chunk = os.read(self.process.stdout.fileno(), 65536)
            assert chunk, "the agent has ended"
            self.rest += chunk
        line, _, self.rest = self.rest.partition(b"\n")
        return line

    def receive(self):
        """The next message, which is also kept in `seen`, and answered if it is a request that is served."""
        message = json.loads(self.line())
        self.seen.append(message)
        if "id" in message and message.get("method") in self.serves:
            self.send(id=message["id"], **self.serves[message["method"]])
        return message

    def until(self, wanted):
        """The next message that `wanted` accepts."""
        while not wanted(message := self.receive()):
            pass
        return message

    def answer(self, number):
        return self.until(lambda message: message.get("id") == number and "method" not in message)

    def call(self, method, **params):
        self.send(id=method, method=method, params=params)
        return self.answer(method)

    def result(self, method, **params):
        return self.call(method, **params)["result"]

    def code(self, method, **params):
        """The number of the error that answers."""
        return self.call(method, **params)["error"]["code"]

    def greet(self, **capabilities):
        """Say what the client can do; what the agent says of itself."""
        return self.result("initialize", protocolVersion=1, clientCapabilities=capabilities)

    def begin(self, cwd="/", **params):
        self.session = self.result("session/new", cwd=str(cwd), mcpServers=[], **params)["sessionId"]
        return self

    def load(self, session, method="session/load"):
        return self.call(method, sessionId=session, cwd="/", mcpServers=[])

    def prompt(self, text, number="prompt"):
        blocks = [{"type": "text", "text": text}]
        self.send(id=number, method="session/prompt", params={"sessionId": self.session, "prompt": blocks})

    def cancel(self):
        self.send(method="session/cancel", params={"sessionId": self.session})

    def ask(self, text):
        """Prompt, and wait for the answer."""
        self.prompt(text)
        return self.answer("prompt")

    def asked(self, method):
        """Wait for a request of the agent."""
        return self.until(lambda message: message.get("method") == method)

    def told(self, method):
        """The params of the notifications and requests of a method, so far."""
        return [message["params"] for message in self.seen if message.get("method") == method]

    def updates(self, kind=None):
        found = [params["update"] for params in self.told("session/update")]
        return [update for update in found if kind in {None, update["sessionUpdate"]}]

    def said(self):
        return [update["content"]["text"] for update in self.updates("agent_message_chunk")]

    def hear(self, text):
        """Wait until this was said."""
        while text not in self.said():
            self.receive()

    def end(self):
        """Its exit status, at the end of its stdin."""
        self.process.stdin.close()
        return self.process.wait(LIMIT_S)


@pytest.fixture
def rehearsal():
    """`with rehearsal(*arguments) as agent`: an agent that runs."""
    return Rehearsal


@pytest.fixture
def agent(rehearsal):
    """An agent without arguments that has opened a session."""
    with rehearsal() as agent:
        yield agent.begin()
