"""An editor that writes bytes and keeps the bytes that it gets: no library of ours stands between."""

import json
import os
import select
import subprocess
import time

import warm
from programs import PROGRAM

BOUND_S = 30


class FarEnd:
    """It reads whenever it waits to write, so that two full pipes cannot stop both sides.

    `lines` are all lines that came, `messages` the same decoded. A request of ours is answered by what
    `answers` has for its method, a result or a function of the message; None leaves it open, and any
    method that is missing there gets a -32601, as the protocol wants it.
    """

    def __init__(self, place, *options, environment, program=(PROGRAM,)):
        self.cwd = place.cwd
        self.lines, self.messages, self.answers, self._answers = [], [], {}, {}
        self._errors = place.home / f"stderr-{time.monotonic_ns()}"
        self._parts, self._waiting = [], []
        with self._errors.open("wb") as stderr:
            self.process = warm.start(
                [*program, "acp", *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=place.cwd,
                env={**place.environment, **environment},
                bufsize=0,
            )
        self._stdin, self._stdout = self.process.stdin.fileno(), self.process.stdout.fileno()
        os.set_blocking(self._stdin, False)

    @property
    def errors(self):
        """What it wrote to stderr."""
        return self._errors.read_text(errors="replace")

    def write(self, data):
        """Write bytes as they are, and read meanwhile; what that makes us answer is written behind them."""
        self._waiting.append(data)
        if len(self._waiting) > 1:
            return
        while self._waiting:
            self._write(memoryview(self._waiting[0]))
            del self._waiting[0]

    def say(self, *messages):
        """Write messages, each in a line."""
        self.write(b"".join(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n" for message in messages))

    def until(self, happened):
        """Read until `happened()` is true."""
        until = time.monotonic() + BOUND_S
        while not (answer := happened()):
            readable, _, _ = select.select([self._stdout], [], [], max(0, until - time.monotonic()))
            assert readable, f"not within {BOUND_S} s; the last lines were {self.lines[-3:]}; {self.errors}"
            self._read()
        return answer

    def answered(self, id_):
        """Wait for the answer to the last request of that id."""
        return self.until(lambda: self._answers.pop(id_, None))

    def ask(self, method, id_=None, **params):
        """Send a request and wait for its answer."""
        id_ = f"{method} {len(self.lines)}" if id_ is None else id_
        self.say({"id": id_, "method": method, "params": params})
        return self.answered(id_)

    def greet(self, **capabilities):
        """Introduce ourselves."""
        return self.ask("initialize", protocolVersion=1, clientCapabilities=capabilities)["result"]

    def new(self, **params):
        """Begin a session: its id."""
        return self.ask("session/new", cwd=self.cwd, mcpServers=[], **params)["result"]["sessionId"]

    def begin(self, **capabilities):
        """Introduce ourselves and begin a session: its id."""
        self.greet(**capabilities)
        return self.new()

    def prompt(self, session, text, id_="turn"):
        """Have a turn: its answer."""
        self.begin_turn(session, text, id_)
        return self.answered(id_)

    def begin_turn(self, session, text, id_="turn"):
        """Send a prompt and do not wait."""
        params = {"sessionId": session, "prompt": [{"type": "text", "text": text}]}
        self.say({"id": id_, "method": "session/prompt", "params": params})

    def asked(self, method):
        """What we were asked, or told, by that method."""
        return [message["params"] for message in self.messages if message.get("method") == method]

    def updates(self, session):
        """The updates of a session."""
        return [told["update"] for told in self.asked("session/update") if told["sessionId"] == session]

    def text(self, session):
        """What the agent said in a session, put together."""
        said = [update for update in self.updates(session) if update["sessionUpdate"] == "agent_message_chunk"]
        return "".join(update["content"]["text"] for update in said)

    def hang_up(self):
        """Close its stdin and read to its end: the exit status."""
        self.process.stdin.close()
        self.until(lambda: self.process.stdout.closed)
        return self.process.wait(BOUND_S)

    def destroy(self):
        """Whatever it does, it ends now."""
        self.process.kill()
        self.process.wait(BOUND_S)
        for pipe in (self.process.stdin, self.process.stdout):
            pipe.close()

    def _write(self, data):
        until = time.monotonic() + BOUND_S
        while data:
            readable, writable, _ = select.select([self._stdout], [self._stdin], [], max(0, until - time.monotonic()))
            assert readable or writable, f"it took nothing for {BOUND_S} s"
            if readable:
                self._read()
            if writable:
                data = data[os.write(self._stdin, data[: select.PIPE_BUF]) :]

    def _read(self):
        chunk = os.read(self._stdout, 1 << 20)
        if not chunk:
            assert not any(self._parts), f"it ended in the middle of a line: {b''.join(self._parts)[:200]}"
            assert self.process.stdin.closed, f"it ended: {self.errors}"
            self.process.stdout.close()
            return
        if b"\n" not in chunk:
            self._parts.append(chunk)
            return
        *lines, rest = b"".join([*self._parts, chunk]).split(b"\n")
        self._parts = [rest]
        for line in lines:
            self._take(line)

    def _take(self, line):
        self.lines.append(line)
        message = json.loads(line.decode(errors="replace"), parse_int=_number)
        self.messages.append(message)
        if "method" not in message:
            self._answers[message["id"]] = message
        elif "id" in message:
            answer = self.answers.get(message["method"], ...)
            if answer is ...:
                self.say({"id": message["id"], "error": {"code": -32601, "message": "Nobody here can do that."}})
            elif answer is not None:
                self.say({"id": message["id"], "result": answer(message) if callable(answer) else answer})


def _number(digits):
    return int(digits) if len(digits) < 4000 else digits
