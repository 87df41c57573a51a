"""How far each goal's figure is from what must be reached."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from benchmarks.goals import Goal
from benchmarks.kept import Run
from benchmarks.picture.svg import Drawing
from benchmarks.table import bound, reached, verdict

_LEFT, _RIGHT = 360.0, 700.0
_STEP, _THICK = 17.0, 9.0
_LEAST, _MOST = 1 / 16, 16.0
"""What lies beyond is drawn at the edge, where a figure says how far it is."""
_GRID = (1 / 16, 1 / 4, 1, 4, 16)
_MARKS = {"stretch": "★", "holds": "✓", "missed": "✗", "broken": "!", "skipped": "o"}
"""So that nobody has to tell colours apart."""


def goal_bars(drawing: Drawing, run: Run, goals: Sequence[Goal]) -> None:
    """A bar for each goal, on a logarithmic scale from what must be reached: to the left is better."""
    if not goals:
        return
    drawing.put(10, drawing.down(24), "Each goal's figure to what it must reach", "h")
    words = "left of the line: better. ★ stretch (dashed) reached, ✓ must holds, ✗ missed, o skipped. In brackets: must"
    drawing.put(10, drawing.down(18), words, "s")
    top = drawing.down(20)
    for factor in _GRID:
        words = "must" if factor == 1 else f"{factor:g}x" if factor > 1 else f"1/{1 / factor:g}"
        drawing.put(_at(factor), top - 4, words, "s m")
    for goal in goals:
        _bar(drawing, run, goal)
    for factor in _GRID:
        drawing.line("must" if factor == 1 else "axis", (_at(factor), top), (_at(factor), drawing.top + 6))
    drawing.down(14)


def to_must(goal: Goal, value: float) -> float:
    """How much worse than what must be reached: 1 is just that, 0.5 twice as good."""
    better, worse = (goal.must, value) if goal.at_least else (value, goal.must)
    if better == worse:
        return 1.0
    return better / worse if worse else math.inf


def _bar(drawing: Drawing, run: Run, goal: Goal) -> None:
    y = drawing.down(_STEP)
    word = verdict(run, goal)
    against = f", to {goal.baseline}" if goal.baseline else ""
    drawing.put(10, y, goal.number)
    drawing.put(48, y, _shortened(f"{goal.what}{against}".replace("`", "")), "s")
    aim = _at(to_must(goal, goal.stretch))
    drawing.line("aim", (aim, y - _THICK - 2), (aim, y + 2))
    figures = run.figures.get(goal.key)
    told = reached(goal, median(figures)) if figures else ""
    drawing.put(_RIGHT + 14, y, f"{_MARKS[word]} {told or word} ({_signed(bound(goal, goal.must))})", "s")
    if figures:
        ends = _at(to_must(goal, median(figures)))
        left = min(ends, _at(1) - 1.5)
        drawing.box(
            word if word in ("stretch", "holds") else "missed", left, y - _THICK, max(ends, _at(1) + 1.5) - left, _THICK
        )


def _at(factor: float) -> float:
    inside = min(max(factor, _LEAST), _MOST)
    return _LEFT + (_RIGHT - _LEFT) * math.log(inside / _LEAST) / math.log(_MOST / _LEAST)


def _signed(words: str) -> str:
    return words.replace(">=", "≥").replace("<=", "≤")


def _shortened(words: str, longest: int = 56) -> str:
    return words if len(words) <= longest else words[: longest - 1].rstrip(" ,") + "…"
