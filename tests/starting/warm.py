"""Starts the command in processes that are forked from one that has imported everything already.

Nine tenths of a short command's time are imports, so what starts many of them needs a fraction of the time. What a
start does by itself is shown by the tests that use `subprocess`.
"""

import fcntl
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest.mock import patch

BOUND_S = 60
PROGRAM = Path(sys.executable).with_name("kiro-core")
PLACE = "TEST_FORKS"
"""The variable that names the folder where the processes that fork are found by all that run tests side by side."""
_ENVIRONMENT = dict(os.environ)
_AT_START = ("PYTHON", "LC_", "LANG")
"""Variables that Python itself reads, before anything can be forked; a fork takes the folders of PYTHONPATH."""


def start(command, **options):
    """The same as `subprocess.Popen`, also where it cannot be a fork.

    Of the options, a fork knows the streams, `cwd`, `env`, `text`, `bufsize` and `start_new_session`, which also gives
    it the terminal that its stdin is. It is no child of the caller.
    """
    variables = options.get("env") or os.environ
    if Path(command[0]) == PROGRAM and _read_at_start(variables) == _read_at_start(_ENVIRONMENT):
        return _Fork(command, **options)
    return subprocess.Popen(command, **options)


def run(command, stdin="", **options):
    """Run it to its end, which is bounded: a `subprocess.CompletedProcess` with all that it wrote as text."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(command, **{**pipes, "text": True, **options}) as process:
        try:
            told = process.communicate(stdin, timeout=BOUND_S)
        finally:
            process.kill()
    return subprocess.CompletedProcess(command, process.returncode, *told)


@contextmanager
def place():
    """Have a place for the processes that fork, which are started when they are needed and end with it."""
    folder = Path(tempfile.mkdtemp(prefix="forks-"))
    for name in ("life", "complaints"):
        os.mkfifo(folder / name)
    life = os.open(folder / "life", os.O_RDWR)
    complaints = os.open(folder / "complaints", os.O_RDWR | os.O_NONBLOCK)
    try:
        with patch.dict(os.environ, {PLACE: str(folder)}):
            yield
        with suppress(BlockingIOError):
            raise AssertionError(os.read(complaints, 65536).decode())
    finally:
        os.close(life)
        os.close(complaints)
        shutil.rmtree(folder)


def _connected(family):
    """A connection to the process that forks one family of commands."""
    folder, connection = Path(os.environ[PLACE]), socket.socket(socket.AF_UNIX)
    with (folder / f"{family}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / family).exists():
            _start_forking(folder, family)
    connection.connect(str(folder / family))
    return connection


def _start_forking(folder, family):
    """Returns when it listens, and before it has imported everything."""
    program = [sys.executable, "-P", Path(__file__).with_name("forking.py"), folder, family]
    # Streams like those that a test gives: Python looks at them once.
    with (folder / "complaints").open("wb", buffering=0) as complaints:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": complaints}
        with subprocess.Popen(program, **pipes, env=_ENVIRONMENT) as process:
            assert process.wait(BOUND_S) == 0


def _family_of(command):
    """Those of MCP come from a process of their own, since its SDK makes every fork slower."""
    return "mcp" if command[1:2] == ["mcp"] else "all"


class _Fork(subprocess.Popen):
    """What `subprocess` does when it starts a process and waits for one is done otherwise; all else is its own."""

    def _execute_child(self, args, *options):
        _executable, _before, _close_fds, _pass_fds, cwd, env, _info, _flags, _shell, *fds = options[:15]
        read, _, _, written, _, complained = fds
        order = {
            "command": [*map(str, args)],
            "cwd": str(cwd or Path.cwd()),
            "env": dict(env or os.environ),
            "leads": options[-2],
        }
        streams = [own if fd == -1 else fd for own, fd in enumerate((read, written, complained))]
        self._told = _connected(_family_of(order["command"]))
        socket.send_fds(self._told, [json.dumps(order).encode() + b"\n"], streams)
        self._close_pipe_fds(*fds)
        self.pid = self._number(BOUND_S)
        self._child_created = True

    def _internal_poll(self, **_):
        try:
            return self._wait(0)
        except subprocess.TimeoutExpired:
            return None

    def _wait(self, timeout):
        if self.returncode is None:
            self.returncode = self._number(timeout)
            self._told.close()
        return self.returncode

    def _number(self, timeout):
        """The next line of the process that forks; it writes each at once."""
        if not select.select([self._told], [], [], timeout)[0]:
            raise subprocess.TimeoutExpired(self.args, timeout)
        line = b""
        while not line.endswith(b"\n"):
            part = self._told.recv(1)
            assert part, "the process that forks has ended"
            line += part
        return int(line)


def _read_at_start(variables):
    return {name: value for name, value in variables.items() if name.startswith(_AT_START) and name != "PYTHONPATH"}
