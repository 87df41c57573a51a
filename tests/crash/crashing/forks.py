"""Workers forked from a process that has imported everything, since Python starts slower than most of them live.

Whoever forks must have no thread and no event loop at that time. A child tells what it does in lines of JSON, each of
which is written whole: what was told before a kill is known.
"""

import gc
import json
import os
import select
import signal
import sys
import time
import traceback
from contextlib import suppress
from importlib import import_module
from typing import NamedTuple

BOUND_S = 60
_LATE = ("anyio._backends._asyncio", "anyio.to_thread", "subprocess", "concurrent.futures.thread", "kiro_files.store")
_write = os.write  # the real one, whatever a test makes of it later


class Ended(NamedTuple):
    """How a child ended: its status as of `Popen.returncode`, and what it had told."""

    status: int
    told: list


def warm_up():
    """Import what is loaded on first use otherwise, by each child anew, and keep the collector from what is there."""
    for name in _LATE:
        import_module(name)
    gc.freeze()


def teller(fd):
    """`tell(*words)`: a line of JSON to that pipe; shorter than PIPE_BUF, so that lines of many do not mix."""
    return lambda *words: _write(fd, json.dumps(words).encode() + b"\n")


def fork(act, *arguments):
    """Start a child that does this; its pid. What it raises is shown on stderr and makes it end with status 1."""
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        with suppress(BrokenPipeError):  # whom it told has ended
            act(*arguments)
        status = 0
    except BaseException:  # noqa: BLE001 - a fork must never return into its parent's code
        traceback.print_exc(file=sys.stderr)
        sys.stderr.flush()
    finally:
        os._exit(status)


def forked(act, *arguments):
    """Have a child do `act(tell, *arguments)` to its end, which is bounded."""
    reading, writing = os.pipe()
    pid = fork(_alone, reading, act, writing, arguments)
    os.close(writing)
    told = None
    try:
        told = _read_to_end(reading)
    finally:
        os.close(reading)
        if told is None:
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert told is not None, f"a worker was not done within {BOUND_S} s"
    return Ended(status, told)


def _alone(reading, act, writing, arguments):
    os.close(reading)
    act(teller(writing), *arguments)


def _read_to_end(fd):
    told, until = b"", time.monotonic() + BOUND_S
    while select.select([fd], [], [], max(0, until - time.monotonic()))[0]:
        chunk = os.read(fd, 65536)
        if not chunk:
            return [json.loads(line) for line in told.splitlines()]
        told += chunk
    return None
