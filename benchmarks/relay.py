"""What the relay of updates costs, agent to editor, as fast as they go; and what a stalled editor costs."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import subjects
from benchmarks.editor import Editor
from benchmarks.goals import Goal
from benchmarks.rounds import Experiment, Extent, Figures, Round, connected, rotated
from benchmarks.running import LINUX

_STALL_S = 3.0
_LOOKS = 6
_ENDLESS = 3_000_000

GOALS = (
    Goal("G1", "updates a second, log off", "raw", 0.70, 0.90, at_least=True),
    Goal("G2", "updates a second, log on", "raw", 0.40, 0.55, at_least=True),
    Goal("G3.off", "CPU an update, log off", "raw", 2.8, 2.0, needs="Linux"),
    Goal("G3.on", "CPU an update, log on", "raw", 4.0, 3.0, needs="Linux"),
    Goal("G9", "memory growth, editor stalled 3 s in a flood", "", 8, 2, unit="MiB", needs="Linux"),
)


@contextmanager
def relay(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G1 to G3: updates as fast as they go, from the agent to the editor."""
    updates = extent(50_000, quick=10_000)
    programs = {
        "raw": subjects.raw,
        "off": lambda: subjects.product(scratch, log=False),
        "on": lambda: subjects.product(scratch),
    }
    with connected(programs, scratch) as editors:

        def one(turn: int) -> Figures:
            floods = rotated(editors, turn, lambda editor: editor.flood(updates))
            base, off, on = floods["raw"], floods["off"], floods["on"]
            figures = {"G1": off.rate / base.rate, "G2": on.rate / base.rate}
            if LINUX:
                figures |= {"G3.off": off.cpu_s / base.cpu_s, "G3.on": on.cpu_s / base.cpu_s}
            return figures

        yield one


@contextmanager
def stall(scratch: Path, _: Extent) -> Iterator[Round]:
    """G9: the editor stops reading while the agent goes on; what is in between must not fill memory."""

    def one(_: int) -> Figures:
        with subjects.product(scratch) as program:
            editor = Editor(program).begin(scratch)
            before = program.rss_mb()
            editor.begin_flood(_ENDLESS)
            program.read()
            highest = before
            for _ in range(_LOOKS):
                time.sleep(_STALL_S / _LOOKS)  # the stall is the experiment
                highest = max(highest, program.rss_mb())
            return {"G9": highest - before} if LINUX else {}

    yield one


EXPERIMENTS = (Experiment("G1 G2 G3", relay), Experiment("G9", stall))
