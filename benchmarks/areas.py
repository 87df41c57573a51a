"""What is measured, area by area; each module has `GOALS`, `EXPERIMENTS` and, where something grows, `CURVES`."""

from __future__ import annotations

from benchmarks import (
    appending,
    growing,
    holding,
    hosting,
    latency,
    launching,
    others,
    passing,
    reading,
    relay,
    starting,
)

_AREAS = (relay, latency, appending, reading, starting, hosting, launching, holding, growing, passing, others)

GOALS = tuple(
    sorted((goal for area in _AREAS for goal in area.GOALS), key=lambda goal: (goal.number[0], int(goal.number[1:])))
)
CURVES = tuple(curve for area in _AREAS for curve in getattr(area, "CURVES", ()))
EXPERIMENTS = tuple(experiment for area in _AREAS for experiment in area.EXPERIMENTS)
