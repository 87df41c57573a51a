"""Runs the command in processes that are forked from one that has imported everything already.

Four fifths of a short command's time are imports, so this makes a test of several commands three times as fast. All
else is as if the program had been started: streams, folder, environment, arguments, exit code, and the interpreter's
own end. Started as a program, this file is the process that forks.
"""

import gc
import json
import os
import pkgutil
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path

BOUND_S = 60
PROGRAM = Path(sys.executable).with_name("kiro-core")
_OURS = ("kiro_core", "kiro_acp", "kiro_agents", "kiro_files", "kiro_local")
_COLD = ("kiro_core.testing", "kiro_core.cli.mcp")
"""What few commands need and makes every fork slower, such as the SDK of MCP."""
_LATE = ("anyio._backends._asyncio", "rich.box", "rich.console", "rich.table", "rich.text")
_AT_START = ("PYTHON", "LC_", "LANG")
"""Variables that Python itself reads, before anything can be forked."""


class Warm:
    """The process that forks, as seen from the tests; `run` may be called by several threads."""

    def __init__(self):
        self._control, theirs = socket.socketpair()
        with theirs:
            # Streams like those that a test gives: Python looks at them once.
            command = [sys.executable, "-P", __file__, str(theirs.fileno())]
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
            self._process = subprocess.Popen(command, **pipes, pass_fds=[theirs.fileno()])
        assert self._process.wait(BOUND_S) == 0
        self._variables = _read_at_start(os.environ)

    def can_run(self, environment):
        """Whether the command would start no differently with these variables."""
        return _read_at_start(environment) == self._variables

    def run(self, arguments, *, stdin, cwd, env):
        """The same as `subprocess.run` of the program, with all that it writes as text."""
        pipes = [os.pipe() for _ in range(3)]
        (reading, feeding), (output, out), (errors, err) = pipes
        ours, theirs = socket.socketpair()
        with ours, theirs:
            socket.send_fds(self._control, [b"!"], [theirs.fileno(), reading, out, err])
            for fd in (reading, out, err):
                os.close(fd)
            theirs.close()
            order = {"arguments": [*map(str, arguments)], "cwd": str(cwd), "env": env}
            ours.sendall(json.dumps(order).encode() + b"\n")
            with ThreadPoolExecutor(3) as threads:
                threads.submit(_feed, feeding, stdin)
                told = [threads.submit(_drain, fd) for fd in (output, errors)]
                code = _code(ours)
        return subprocess.CompletedProcess([PROGRAM, *arguments], code, *(text.result() for text in told))

    def close(self):
        self._control.close()
        _, complaints = self._process.communicate(timeout=BOUND_S)
        assert not complaints, complaints.decode()


def _read_at_start(environment):
    return {name: value for name, value in environment.items() if name.startswith(_AT_START)}


def _feed(fd, text):
    with suppress(BrokenPipeError), os.fdopen(fd, "wb") as pipe:
        pipe.write(text.encode())


def _drain(fd):
    with os.fdopen(fd) as pipe:
        return pipe.read()


def _code(ours):
    """Wait for the command's end, which is bounded."""
    with ours.makefile("r") as lines:
        ours.settimeout(BOUND_S)
        pid = int(lines.readline())
        try:
            return int(lines.readline())
        except TimeoutError:
            os.kill(pid, signal.SIGKILL)
            raise


def warm_up():
    """Import everything, and keep the collector from it, so that the forks share its memory."""
    for name in _OURS:
        for module in pkgutil.walk_packages(import_module(name).__path__, f"{name}."):
            if not module.name.startswith(_COLD) and not module.name.endswith("__main__"):
                import_module(module.name)
    for name in _LATE:
        import_module(name)
    gc.collect()
    gc.freeze()


def main():
    """Fork as told, until nobody tells any more; returns in a fork alone."""
    if os.fork():
        os._exit(0)  # tests of other things count the children of theirs: this one is nobody's
    warm_up()
    running = {}
    signal.signal(signal.SIGCHLD, lambda *_: _tell_ended(running))
    with socket.socket(fileno=int(sys.argv[1])) as control:
        while fds := socket.recv_fds(control, 1, 4)[1]:
            with socket.socket(fileno=fds[0]) as told, told.makefile("r") as lines:
                order = json.loads(lines.readline())
                signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGCHLD])
                if pid := os.fork():
                    running[pid] = told.dup()
                    told.sendall(b"%d\n" % pid)
            if not pid:
                for inherited in (control, *running.values()):
                    inherited.close()
                _become(order, fds[1:])
                return
            for fd in fds[1:]:
                os.close(fd)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    os._exit(0)


def _tell_ended(running):
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            with suppress(BrokenPipeError), running.pop(ended[0]) as told:
                told.sendall(b"%d\n" % os.waitstatus_to_exitcode(ended[1]))


def _become(order, streams):
    """Let this process be as if the program had been started in it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGCHLD])
    for number, fd in enumerate(streams):
        os.dup2(fd, number)
        os.close(fd)
    os.chdir(order["cwd"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.argv = [str(PROGRAM), *order["arguments"]]


if __name__ == "__main__":
    main()
    from kiro_core.cli import main as command

    command()
