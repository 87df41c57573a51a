"""The relay beside what others do in its place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks.goals import Goal
from benchmarks.kept import Run
from benchmarks.picture.svg import Drawing
from benchmarks.table import figure

_LEFT, _WIDE = 190.0, 180.0
_STEP, _THICK = 17.0, 9.0
_OURS = ("kiro-core, log off", "kiro-core, log on")


def relay_bars(drawing: Drawing, run: Run, _goals: Sequence[Goal]) -> None:
    """Rate and CPU of the relay, each to that of copying bytes."""
    middle = {key: median(figures) for key, figures in run.figures.items()}
    rates = _beside(middle, "G1", "G2", "G4.rate")
    costs = _beside(middle, "G3.off", "G3.on", "G4.cpu")
    if not rates and not costs:
        return
    drawing.put(
        10, drawing.down(26), "The relay of updates, beside copying bytes (raw) and a proxy on the official SDK", "h"
    )
    top = drawing.down(8)
    _bars(drawing, "updates a second, to raw (longer is better)", rates, 10, top)
    _bars(drawing, "CPU an update, to raw (shorter is better; logarithmic)", costs, 460, top)
    drawing.top = top + 20 + _STEP * max(len(rates), len(costs))


def _beside(middle: Mapping[str, float], off: str, on: str, to_sdk: str) -> Mapping[str, float]:
    """Each way by its name; the SDK's proxy follows from what ours is to it."""
    ways = {"raw": 1.0} | {name: middle[key] for name, key in zip(_OURS, (off, on), strict=True) if key in middle}
    if on in middle and middle.get(to_sdk):
        ways["SDK proxy"] = middle[on] / middle[to_sdk]
    return ways if len(ways) > 1 else {}


def _bars(drawing: Drawing, title: str, ways: Mapping[str, float], x: float, top: float) -> None:
    drawing.put(x, top + 14, title if ways else "", "s")
    logarithmic = "logarithmic" in title
    longest = max(ways.values(), default=1.0)
    for number, (name, value) in enumerate(ways.items(), 1):
        y = top + 14 + number * _STEP
        share = math.log(2 * max(value, 1)) / math.log(2 * longest) if logarithmic else value / longest
        drawing.put(x + 130, y, name, "s e")
        drawing.box("ours" if name in _OURS else "others", x + 138, y - _THICK, max(share * _WIDE, 1), _THICK)
        drawing.put(x + 144 + max(share * _WIDE, 1), y, figure(value), "s")
