"""Programs to launch, what they say, and a pipe that tells when nobody of them is left."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import anyio

from kiro_core.ports import Process
from kiro_core.types import Command

BOUND_S = 60
"""How long one promise may take to be kept; launchers give programs time to end by themselves."""

ECHO = "import sys\nfor line in sys.stdin: print(line, end='', flush=True)"
UNTIL_EOF = "import sys; sys.stdin.read(); sys.exit(5)"
DEAF = (
    "import signal, sys, time\n"
    "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('up', flush=True)\n"
    "while True: time.sleep(1)\n"
)
"""It ignores the end of its stdin and SIGTERM."""

HOLDING = "import sys; held = open(sys.argv[1], 'w')\n"
"""Goes in front of a program: it holds a pipe of the test open from then on."""

PARENT = (
    "import subprocess, sys\n"
    "held = open(sys.argv[1], 'w')\n"
    "child = [sys.executable, '-c', 'import time; print(\"up\", flush=True); time.sleep(600)']\n"
    "helper = subprocess.Popen(child, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=held,"
    " start_new_session=%r)\n"
    "helper.stdout.readline()\n"
    "held.close()\n"
    "print('up', flush=True)\n"
)
"""Starts a child that lives on and holds the pipe open, in a session of its own or not."""

Launched = Callable[..., Command]
"""`program(code, *arguments, **fields)`: a command that runs Python code."""


async def line(process: Process) -> str:
    """The first line of what comes next, which ends with a whole one."""
    words = b""
    while not words.endswith(b"\n"):
        words += await process.receive()
    return words.decode().splitlines()[0]


async def said(process: Process) -> bytes:
    """All that a program says until it closes its stdout."""
    words = bytearray()
    try:
        while True:
            words += await process.receive()
    except anyio.EndOfStream:
        return bytes(words)


@asynccontextmanager
async def outlived(folder: Path) -> AsyncIterator[str]:
    """The path of a pipe for `HOLDING` and `PARENT`; behind the block, nobody holds it open any more or it fails."""
    path = folder / "held"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        yield str(path)
        with anyio.fail_after(BOUND_S):
            await anyio.wait_readable(reading)
        assert os.read(reading, 1) == b"", "something that was started is still there"
    finally:
        os.close(reading)
