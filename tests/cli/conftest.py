"""The real program, in a home, on a path and at a terminal of the test's own."""

import fcntl
import json
import os
import pty
import select
import struct
import sys
import termios

import pytest
import warm


class Terminal:
    """The command on a pseudo-terminal of its own; `shown` is everything that it has shown."""

    def __init__(self, environment, cwd, *arguments):
        self._fd, inside = pty.openpty()
        self.resize(200, 50)
        self.process = warm.start(
            [warm.PROGRAM, *arguments],
            stdin=inside,
            stdout=inside,
            stderr=inside,
            cwd=cwd,
            env=environment,
            start_new_session=True,
        )
        os.close(inside)
        self.shown = ""
        self._expected = 0

    def expect(self, text):
        """Read on until `text` is shown, behind what was expected before."""
        while (found := self.shown.find(text, self._expected)) < 0:
            assert self._read(), f"{text!r} was not shown, but {self.shown!r}"
        self._expected = found + len(text)

    def type(self, text):
        os.write(self._fd, text.encode())

    def resize(self, columns, rows):
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def ended(self):
        """Its exit code; all that it shows is read before."""
        while self._read():
            pass
        return self.process.wait(30)

    def hang_up(self):
        """Close the window; the exit code."""
        os.close(self._fd)
        self._fd = -1
        return self.process.wait(30)

    def close(self):
        self.process.kill()
        self.process.wait()
        if self._fd >= 0:
            os.close(self._fd)

    def _read(self):
        ready, _, _ = select.select([self._fd], [], [], 30)
        assert ready, f"nothing more was shown after {self.shown!r}"
        try:
            chunk = os.read(self._fd, 65536)
        except OSError:  # Linux says so when nobody has the other side open
            return False
        self.shown += chunk.decode(errors="replace")
        return bool(chunk)


@pytest.fixture
def terminal(environment, tmp_path):
    """Start the command on a terminal, in the folder and environment of the test."""
    opened = []

    def start(*arguments):
        opened.append(Terminal(environment, tmp_path, *arguments))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


@pytest.fixture
def environment(home, tmp_path):
    """Without any agent program but one, which remembers its sessions."""
    home.mkdir(exist_ok=True)
    remembering = [sys.executable, "-P", "-m", "kiro_core.rehearsal", "--memory", str(tmp_path / "memory")]
    (home / "kiro.toml").write_text(f"[engines.mem]\ncommand = {json.dumps(remembering)}\n")
    return os.environ | {"PATH": str(tmp_path / "bin")}


@pytest.fixture
def kiro(environment, tmp_path):
    """Run a command to its end, in the folder and environment of the test."""

    def run(*arguments, stdin="", **variables):
        return warm.run([warm.PROGRAM, *arguments], stdin, cwd=tmp_path, env=environment | variables)

    return run
