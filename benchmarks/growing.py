"""Whether a message costs more where many sessions are open: the same work, for 1 session and in turn for up to 200."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

from benchmarks import subjects
from benchmarks.goals import Curve, Goal
from benchmarks.host import Editor
from benchmarks.rounds import Experiment, Extent, Figures, Round, rotated
from benchmarks.running import LINUX

_POINTS = (1, 10, 50, 200)
_AT_ONCE = 20
_UPDATES = 5000

GOALS = (Goal("S1", "CPU for an update, of 200 sessions in turn (quick: 50)", "of 1 session", 1.1, 1.0, needs="Linux"),)

CURVES = (
    Curve("update", "CPU for an update, sessions taking turns", "open sessions", _POINTS, unit="us", needs="Linux"),
    Curve("lone", "CPU for a lone message there and back", "open sessions", _POINTS, unit="us", needs="Linux"),
    Curve("live", "memory of the manager by live sessions", "open sessions", _POINTS, unit="MiB", needs="Linux"),
)


@dataclass(frozen=True, slots=True)
class _Sessions:
    """A manager with so many sessions, whose agents run; `turn` goes round."""

    editor: Editor
    turn: Iterator[str]

    def update_us(self, turns: int) -> float:
        """CPU microseconds for an update: one session after the other has a turn of equally many."""
        program = self.editor.program
        begins = program.cpu_s()
        for session in islice(self.turn, turns):
            self.editor.chat([session], [], updates=_UPDATES)
        return (program.cpu_s() - begins) / (turns * _UPDATES) * 1e6

    def lone_us(self, pings: int) -> float:
        """The same for a notification to the agent and the update that it brings, nothing else on its way."""
        program = self.editor.program
        begins = program.cpu_s()
        for session in islice(self.turn, pings):
            ping = {"jsonrpc": "2.0", "method": "_bench/ping", "params": {"sessionId": session}}
            os.write(program.stdin, json.dumps(ping).encode() + b"\n")
            while not program.read().endswith(b"\n"):
                pass
        return (program.cpu_s() - begins) / pings * 1e6


@contextmanager
def growing(scratch: Path, extent: Extent) -> Iterator[Round]:
    """S1: turns and lone messages; the managers with their sessions stay for all rounds."""
    points = _POINTS[: extent(4, quick=3)]
    turns, pings = extent(40, quick=20), extent(400, quick=100)
    if not LINUX:
        yield lambda _turn: {}
        return
    with ExitStack() as stack:
        managers = {str(point): _opened(stack, scratch, point) for point in points}

        def one(turn: int) -> Figures:
            update = rotated(managers, turn, lambda each: each.update_us(turns))
            lone = rotated(managers, turn, lambda each: each.lone_us(pings))
            live = {point: each.editor.program.rss_mb() for point, each in managers.items()}
            figures = {
                f"{name}@{point}": figure
                for name, by_point in (("update", update), ("lone", lone), ("live", live))
                for point, figure in by_point.items()
            }
            return figures | {"S1": update[str(points[-1])] / update["1"]}

        yield one


def _opened(stack: ExitStack, scratch: Path, count: int) -> _Sessions:
    editor = Editor(stack.enter_context(subjects.managing(scratch, "bench")), scratch)
    ids: list[str] = []
    while len(ids) < count:
        ids += editor.begin(min(_AT_ONCE, count - len(ids)))
    for session in ids:
        editor.chat([session], [], updates=_UPDATES)  # a first turn and a first flood do more than others
    return _Sessions(editor, cycle(ids))


EXPERIMENTS = (Experiment("S1 update lone live", growing),)
