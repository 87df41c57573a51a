"""Starts the command in processes that are forked from one that has imported everything already.

Nine tenths of a short command's time are imports, so what starts many of them needs a fraction of the time. What a
start does by itself is shown by the tests that use `subprocess`.
"""

import json
import os
import select
import socket
import subprocess
import sys
from pathlib import Path

BOUND_S = 60
PROGRAM = Path(sys.executable).with_name("kiro-core")
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


def close():
    """End the processes that fork, as far as there are any."""
    while _forking:
        _forking.popitem()[1].close()


class _Forking:
    """The process that forks one family of commands, as seen from the tests."""

    def __init__(self, family):
        self._control, theirs = socket.socketpair()
        with theirs:
            # Streams like those that a test gives: Python looks at them once.
            program = [sys.executable, "-P", Path(__file__).with_name("forking.py"), str(theirs.fileno()), family]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            self._process = subprocess.Popen(program, **pipes, env=_ENVIRONMENT, pass_fds=[theirs.fileno()])
        assert self._process.wait(BOUND_S) == 0

    def fork(self, order, streams):
        """Have one forked; a socket that says in a line each which process it is and, later, how it ended."""
        ours, theirs = socket.socketpair()
        with theirs:
            socket.send_fds(self._control, [b"!"], [theirs.fileno(), *streams])
        ours.sendall(json.dumps(order).encode() + b"\n")
        return ours

    def close(self):
        self._control.close()
        _, complaints = self._process.communicate(timeout=BOUND_S)
        assert not complaints, complaints.decode()


_forking = {}


def _forking_for(command):
    """Those of MCP come from a process of their own, since its SDK makes every fork slower."""
    family = "mcp" if command[1:2] == ["mcp"] else ""
    if family not in _forking:
        _forking[family] = _Forking(family)
    return _forking[family]


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
        self._told = _forking_for(order["command"]).fork(order, streams)
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
