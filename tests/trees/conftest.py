"""Trees of real processes, each of which holds a pipe of the test open: its end tells that none of them is left."""

import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import pytest

from kiro_core.types import Command
from kiro_local import kiro_launchers

LIMIT_S = 30

# A plain child, one in a session of its own, and a daemon.
HELPERS = """
import os, signal, subprocess, sys, time
held = os.open(sys.argv[1], os.O_WRONLY)
os.set_inheritable(held, True)
null = {"stdin": -3, "stdout": -3, "stderr": -3, "close_fds": False}
subprocess.Popen(["sleep", "600"], **null)
subprocess.Popen(["sleep", "600"], **null, start_new_session=True)
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "600"])
    os._exit(0)
os.wait()
os.write(held, b".")
"""
IDLE = "time.sleep(600)"


class Pipe:
    """A named pipe that trees of processes hold open; each writes a byte when it is complete."""

    def __init__(self, path):
        self.path = str(path)
        os.mkfifo(path)
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)

    async def up(self, count=1):
        for _ in range(count):
            assert await self._read() == b"."

    async def all_gone(self):
        assert await self._read() == b""

    def is_held(self):
        try:
            while os.read(self._fd, 1):
                pass
        except BlockingIOError:
            return True
        return False

    def close(self):
        os.close(self._fd)

    async def _read(self):
        with anyio.fail_after(LIMIT_S):
            await anyio.wait_readable(self._fd)
            return os.read(self._fd, 1)


class Desk:
    """A desk in a process of its own that does as it is told."""

    def __init__(self):
        program = Path(__file__).with_name("desk.py")
        self.process = subprocess.Popen(
            [sys.executable, "-P", program], stdin=-1, stdout=-1, stderr=-1, start_new_session=True
        )

    def order(self, *order):
        self.process.stdin.write(json.dumps(order).encode() + b"\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().strip()

    def kill(self):
        self.process.kill()
        self.process.wait(LIMIT_S)

    def end(self):
        """In order; what it wrote to stderr."""
        return self.process.communicate(timeout=LIMIT_S)[1].decode()


@pytest.fixture
def desk():
    one = Desk()
    yield one
    one.kill()
    for stream in (one.process.stdin, one.process.stdout, one.process.stderr):
        stream.close()


@pytest.fixture
def pipe(tmp_path):
    one = Pipe(tmp_path / "held")
    yield one
    one.close()


@pytest.fixture
def tree(pipe):
    """`tree(code)`: the argv of an agent with three helpers that runs this code when they are up."""
    return lambda code=IDLE, helpers=HELPERS: [sys.executable, "-S", "-c", helpers + code, pipe.path]


@pytest.fixture
def launched():
    """`async with launched(argv, **options) as process`: by a launcher that lasts as long."""

    @asynccontextmanager
    async def launch(argv, **options):
        (provider,) = kiro_launchers()
        with anyio.fail_after(LIMIT_S):
            async with (
                provider.open(provider.options(**({"grace_s": 0.05} | options))) as launcher,
                launcher.launch(Command(argv, "/")) as process,
            ):
                yield process

    return launch


@pytest.fixture
def sweep():
    """What the launcher of another desk ends at its start."""

    async def swept():
        (provider,) = kiro_launchers()
        with anyio.fail_after(LIMIT_S):
            async with provider.open(provider.options()) as launcher:
                return await launcher.sweep()

    return swept


@pytest.fixture
def receipts(home):
    """The folder of the receipts."""
    return home / "run" / "processes"


class Watchdog:
    """The one watchdog of a desk."""

    def __init__(self, desk):
        (self.pid,) = [int(path.parent.name) for path in Path("/proc").glob("[0-9]*/cmdline") if _watches(path, desk)]
        self._handle = os.pidfd_open(self.pid)

    async def ended(self):
        with anyio.fail_after(LIMIT_S):
            await anyio.wait_readable(self._handle)

    def close(self):
        os.close(self._handle)


@pytest.fixture
def watchdog_of():
    """`watchdog_of(pid)`: the watchdog of the desk that is that process."""
    found = []

    def find(pid):
        found.append(Watchdog(pid))
        return found[-1]

    yield find
    for one in found:
        one.close()


@pytest.fixture
def bystander():
    """`bystander(argv, **more)`: start a process that nobody may touch; `.poll()` tells whether it lives."""
    started = []

    def start(argv=("sleep", "600"), **more):
        started.append(subprocess.Popen(argv, **more))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def _watches(cmdline, pid):
    try:
        words = cmdline.read_bytes().split(b"\0")
    except OSError:
        return False
    return any(word.endswith(b"watchdog.py") for word in words) and str(pid).encode() in words
