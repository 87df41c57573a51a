"""An editor whose `kiro-core acp` may be dead at any moment: it keeps what it was shown until then."""

import json
import os
import select
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from crashing.programs import HERE

BOUND_S = 60
PROGRAM = (str(Path(sys.executable).with_name("kiro-core")),)
MORTAL = (sys.executable, "-P", "-m", "crashing.mortal_desk")
FRAIL = (sys.executable, "-P", "-m", "crashing.frail_desk")


class Gone(Exception):
    """The desk has ended, by a kill or by itself."""


class Editor:
    """`shown` are the updates that came, `answers` the answers to requests, by id.

    What it is asked it answers with yes, or keeps in `questions` while `patient`, for `agree`. With `doom` it kills the
    desk when so many messages have come and then so many seconds have passed.
    """

    def __init__(self, place, program=PROGRAM, *, doom=None, pass_fds=(), **environment):
        self.cwd = str(place.work)
        self.shown, self.answers, self.questions = [], {}, []
        self.patient = False
        self._rest, self._messages, self._doom, self._dies = b"", 0, doom, None
        self._errors = place.errors()
        with self._errors.open("wb") as stderr:
            self.process = subprocess.Popen(
                [*program, "acp", "--engine", "mem"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                cwd=place.work,
                env={**place.environment, "PYTHONPATH": str(HERE), **environment},
                pass_fds=pass_fds,
                bufsize=0,
            )

    @property
    def errors(self):
        """What it wrote to stderr."""
        return self._errors.read_text(errors="replace")

    def ask(self, method, **params):
        """Send a request: its answer."""
        name = f"{method} {self._messages}"
        self.send(method, name, **params)
        return self.answered(name)

    def result(self, method, **params):
        """Send a request: its result."""
        answer = self.ask(method, **params)
        assert "result" in answer, f"{method} was answered with {answer}"
        return answer["result"]

    def send(self, method, name, **params):
        """Send a request and do not wait."""
        self._write({"id": name, "method": method, "params": params})

    def prompt(self, session, text, name):
        """Begin a turn and do not wait."""
        self.send("session/prompt", name, sessionId=session, prompt=[{"type": "text", "text": text}])

    def answered(self, name):
        """Wait for an answer."""
        return self.until(lambda: self.answers.get(name))

    def until(self, happened):
        """Read until that is true."""
        until = time.monotonic() + BOUND_S
        while not (value := happened()):
            assert time.monotonic() < until, f"not within {BOUND_S} s; {self.errors}"
            self._read(until)
        return value

    def agree(self):
        """Answer every question with its first option."""
        while self.questions:
            question = self.questions.pop()
            option = question["params"]["options"][0]["optionId"]
            self._write({"id": question["id"], "result": {"outcome": {"outcome": "selected", "optionId": option}}})

    def hang_up(self):
        """Close its stdin, and hear what it still says."""
        self.process.stdin.close()
        with suppress(Gone):
            self.until(lambda: False)

    def status(self):
        """Its exit status; it has closed its stdout already."""
        try:
            return self.process.wait(BOUND_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it does not end; {self.errors}") from None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(BOUND_S)
        self.process.stdin.close()
        self.process.stdout.close()

    def _read(self, until):
        if self._dies is None and self._doom and self._messages >= self._doom[0]:
            self._dies = time.monotonic() + self._doom[1]
        wait_until = until if self._dies is None else min(self._dies, until)
        if not select.select([self.process.stdout], [], [], max(0, wait_until - time.monotonic()))[0]:
            if self._dies is not None:
                self.process.kill()
                self._doom, self._dies = None, None
            return
        chunk = os.read(self.process.stdout.fileno(), 1 << 16)
        if not chunk:
            raise Gone(f"the desk has ended: {self.errors}")
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._take(json.loads(line))

    def _take(self, message):
        self._messages += 1
        if "method" not in message:
            self.answers[message["id"]] = message
        elif message["method"] == "session/update":
            self.shown.append(message["params"]["update"])
        elif message["method"] == "session/request_permission":
            self.questions.append(message)
            if not self.patient:
                self.agree()
        elif "id" in message:
            self._write({"id": message["id"], "error": {"code": -32601, "message": "Nobody here can do that."}})

    def _write(self, message):
        with suppress(BrokenPipeError):  # the end of its stdout tells the rest
            self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
