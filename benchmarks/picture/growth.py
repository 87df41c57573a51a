"""How figures grow, one small chart each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks.goals import Curve
from benchmarks.kept import Run
from benchmarks.picture.svg import Drawing
from benchmarks.table import figure, measured_at

_COLUMNS = 3
_ACROSS, _HIGH = 295.0, 128.0
_WIDE, _TALL = 230.0, 62.0
_STEEP = 20.0
"""From this factor between the lowest and the highest on the scale is logarithmic."""


def growth(drawing: Drawing, run: Run, curves: Sequence[Curve]) -> None:
    """A chart for each curve of which two points at least were measured."""
    told = [(curve, figures) for curve in curves if len(figures := measured_at(run, curve)) > 1]
    if not told:
        return
    drawing.put(10, drawing.down(26), "Growth: flat is good", "h")
    top = drawing.down(8)
    for number, (curve, figures) in enumerate(told):
        row, column = divmod(number, _COLUMNS)
        _chart(drawing, curve, figures, 10 + column * _ACROSS, top + row * _HIGH)
    drawing.top = top + _HIGH * (1 + (len(told) - 1) // _COLUMNS)


def _chart(drawing: Drawing, curve: Curve, figures: Mapping[int, Sequence[float]], left: float, top: float) -> None:
    drawing.put(left, top + 16, curve.what)
    measure = f"to {curve.baseline}" if curve.baseline else f"in {curve.unit}" if curve.unit else ""
    drawing.put(left, top + 30, f"{measure} over {curve.over}".strip(), "s")
    bottom = top + 42 + _TALL
    middle = {point: median(each) for point, each in figures.items()}
    place = {
        point: (
            left + 20 + _share(point, list(figures)) * _WIDE,
            bottom - _height(value, list(middle.values())) * (_TALL - 14),
        )
        for point, value in middle.items()
    }
    drawing.line("axis", (left + 10, bottom), (left + 30 + _WIDE, bottom))
    drawing.line("line", *place.values())
    for point, (x, y) in place.items():
        drawing.dot("dots", x, y)
        drawing.put(x, y - 6, figure(middle[point]), "s m")
        drawing.put(x, bottom + 13, f"{point:,}".replace(",", " "), "s m")


def _share(point: int, points: Sequence[int]) -> float:
    """How far to the right, logarithmically."""
    first, last = (math.log(max(each, 1)) for each in (min(points), max(points)))
    return (math.log(max(point, 1)) - first) / (last - first) if last > first else 0.5


def _height(value: float, values: Sequence[float]) -> float:
    """How far up, from nothing; logarithmically where the values are of many sizes."""
    lowest, highest = min(values), max(values)
    if lowest > 0 and highest / lowest > _STEEP:
        return 0.1 + 0.9 * math.log(value / lowest) / math.log(highest / lowest)
    return value / highest if highest > 0 else 0.0
