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
_LONG = 93_000
_HUGE = 64 * 2**20

GOALS = (
    Goal("G1", "updates a second, log off", "raw", 0.70, 0.90, at_least=True),
    Goal("G2", "updates a second, log on", "raw", 0.40, 0.55, at_least=True),
    Goal("G3.off", "CPU an update, log off", "raw", 2.8, 2.0, needs="Linux"),
    Goal("G3.on", "CPU an update, log on", "raw", 4.0, 3.0, needs="Linux"),
    Goal("G4.rate", "updates a second, log on", "SDK proxy", 20, 30, at_least=True, needs="agent-client-protocol"),
    Goal("G4.cpu", "CPU an update, log on", "SDK proxy", 1 / 40, 1 / 65, needs="agent-client-protocol, Linux"),
    Goal("G5.rate", "updates of 93 KB a second, log on", "raw", 0.28, 0.40, at_least=True),
    Goal("G5.rss", "peak memory, a line of 64 MiB", "its size", 4, 3, needs="Linux"),
    Goal("G9", "memory growth, editor stalled 3 s in a flood", "", 8, 2, unit="MiB", needs="Linux"),
)


@contextmanager
def relay(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G1 to G4: updates as fast as they go, from the agent to the editor."""
    updates, few = extent(50_000, quick=20_000), extent(2_000, quick=500)
    programs = {
        "raw": subjects.raw,
        "off": lambda: subjects.product(scratch, log=False),
        "on": lambda: subjects.product(scratch),
    }
    programs |= {"sdk": subjects.sdk} if subjects.HAS_SDK else {}
    with connected(programs, scratch) as editors:

        def one(turn: int) -> Figures:
            floods = rotated(
                editors, turn, lambda editor: editor.flood(few if editor is editors.get("sdk") else updates)
            )
            base, off, on, sdk = floods["raw"], floods["off"], floods["on"], floods.get("sdk")
            figures = {"G1": off.rate / base.rate, "G2": on.rate / base.rate}
            if LINUX:
                figures |= {"G3.off": off.cpu_s / base.cpu_s, "G3.on": on.cpu_s / base.cpu_s}
            if sdk is not None:
                figures |= {"G4.rate": on.rate / sdk.rate} | ({"G4.cpu": on.cpu_s / sdk.cpu_s} if LINUX else {})
            return figures

        yield one


@contextmanager
def long_lines(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G5: updates that are files: many large ones, and one that is huge."""
    updates = extent(400, quick=100)
    programs = {"raw": subjects.raw, "on": lambda: subjects.product(scratch)}
    with connected(programs, scratch) as editors:

        def one(turn: int) -> Figures:
            floods = rotated(editors, turn, lambda editor: editor.flood(updates, _LONG))
            return {"G5.rate": floods["on"].rate / floods["raw"].rate} | _huge(scratch)

        yield one


def _huge(scratch: Path) -> dict[str, float]:
    with subjects.product(scratch) as program:
        Editor(program).begin(scratch).flood(1, _HUGE)
        return {"G5.rss": program.peak_rss_mb() * 2**20 / _HUGE} if LINUX else {}


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


EXPERIMENTS = (Experiment("G1 G2 G3 G4", relay), Experiment("G5", long_lines), Experiment("G9", stall))
