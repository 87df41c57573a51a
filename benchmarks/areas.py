"""What is measured, area by area; each module has `GOALS`, `EXPERIMENTS` and, where something grows, `CURVES`."""

from __future__ import annotations

from benchmarks import hosting, latency, relay, starting

_AREAS = (relay, latency, starting, hosting)

GOALS = tuple(goal for area in _AREAS for goal in area.GOALS)
CURVES = tuple(curve for area in _AREAS for curve in getattr(area, "CURVES", ()))
EXPERIMENTS = tuple(experiment for area in _AREAS for experiment in area.EXPERIMENTS)
