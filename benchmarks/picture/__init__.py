"""A run as one picture, for whoever looks before reading: goals, the relay beside others, and growth."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.goals import Curve, Goal
from benchmarks.kept import Run
from benchmarks.picture.bars import goal_bars
from benchmarks.picture.growth import growth
from benchmarks.picture.relay import relay_bars
from benchmarks.picture.svg import Drawing

WIDTH = 900


def drawn(run: Run, goals: Sequence[Goal], curves: Sequence[Curve]) -> str:
    """The picture as SVG: the same bytes for the same figures."""
    drawing = Drawing(WIDTH, "kiro_core against its goals", run.machine)
    for part in (relay_bars, goal_bars):
        part(drawing, run, goals)
    growth(drawing, run, curves)
    drawing.put(10, drawing.down(22), run.machine, "s")
    return str(drawing)
