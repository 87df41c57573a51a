"""Starting agent programs and ending them, with all that they have started."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from benchmarks import subjects
from benchmarks.goals import Goal
from benchmarks.host import Editor
from benchmarks.rounds import Experiment, Extent, Figures, Round
from benchmarks.running import LINUX, Program
from benchmarks.trees import naming, threads, tree, until

_AGENTS = 20
_SWEEP_S = 1.0
_HELPERS = 3
_BORN_S = 10.0

GOALS = (
    Goal("G22", "open a program and wait for its end", "Popen", 1.8, 1.4),
    Goal("G22.threads", "threads of ours more with 20 agents than with 1", "", 0, 0, needs="Linux"),
    Goal("G25.stop", "survivors of an agent with 3 helpers that is closed", "", 0, 0, needs="Linux"),
    Goal("G25.kill", "the same, 1 s behind a kill -9 of the manager", "", 0, 0, needs="Linux"),
)


@contextmanager
def opening(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G22: a launch that is not the first one, to the same program by `subprocess.Popen`."""
    launches = extent(40, quick=20)
    with subjects.launching(scratch) as program:
        program.read()  # the first launch, which starts the watchdog

        def one(_turn: int) -> Figures:
            took = [_took(program, launches // 2) for _ in range(2)]  # each of the two begins once
            return {"G22": sum(each["local"] for each in took) / sum(each["popen"] for each in took)}

        yield one


def _took(program: Program, launches: int) -> dict[str, float]:
    os.write(program.stdin, b"%d\n" % launches)
    read = b""
    while not read.endswith(b"\n"):
        read += program.read()
    took: dict[str, float] = json.loads(read)
    return took


@contextmanager
def threaded(scratch: Path, _extent: Extent) -> Iterator[Round]:
    """G22: threads of the manager."""

    def one(_turn: int) -> Figures:
        if not LINUX:
            return {}
        with subjects.managing(scratch, "bench") as program:
            editor = Editor(program, scratch)
            editor.chat(editor.begin(1), [])  # the thread that waits for the disk comes with the first turn
            counted = []
            for more in (1, _AGENTS - 1):
                for _ in range(more):  # one at a time, so that no threads are about that open several at once
                    editor.begin(1)
                counted.append(threads(program.pid))
            return {"G22.threads": counted[1] - counted[0]}

    yield one


@contextmanager
def ending(scratch: Path, _extent: Extent) -> Iterator[Round]:
    """G25: an agent with a plain helper, one in a session of its own, and a daemon."""

    def one(_turn: int) -> Figures:
        if not LINUX:
            return {}
        return {"G25.stop": _survivors(scratch, kill=False), "G25.kill": _survivors(scratch, kill=True)}

    yield one


def _survivors(scratch: Path, *, kill: bool) -> int:
    token = uuid4().hex

    def helpers() -> list[int]:
        return naming("BENCH_HELPER", f"BENCH_TREE={token}")

    def survivors() -> list[int]:
        return [*helpers(), *naming("family.py", f"BENCH_TREE={token}")]

    with subjects.managing(scratch, "helpers", BENCH_TREE=token) as program:
        editor = Editor(program, scratch)
        (session,) = editor.begin(1)
        agents = [pid for pid in tree(program.pid) if pid != program.pid]
        if not until(lambda: len(helpers()) == _HELPERS, _BORN_S):
            raise RuntimeError(f"the agent has {len(helpers())} helpers: {agents}")
        if kill:
            os.kill(program.pid, signal.SIGKILL)
            until(lambda: not survivors(), _SWEEP_S)
        else:
            editor.chat([], [session])
        left = survivors()
    for pid in left:
        os.kill(pid, signal.SIGKILL)
    return len(left)


EXPERIMENTS = (Experiment("G22", opening), Experiment("G22", threaded), Experiment("G25", ending))
