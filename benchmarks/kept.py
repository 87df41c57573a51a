"""What one run measured, on which machine, and how that is kept as JSON."""

from __future__ import annotations

import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import requires, version
from statistics import median
from typing import Any

from benchmarks.areas import CURVES, GOALS

_DISTRIBUTION = "kiro-core"
_ABOUT = {"product", "python", "platform", "cpus", "load", "began", "quick", "rounds", "each_s"}
"""What is told of a run."""


@dataclass(slots=True)
class Run:
    """The figures of each counted round by key (`Goal.key`, `Curve.key_at`), and what kept others from being there.

    `broken` and `absent` are reasons by the numbers of an experiment (`Experiment.numbers`). `about` has when the run
    began (UTC), how long it and each experiment took, what was measured and where; its keys are those of the JSON.
    """

    about: dict[str, Any]
    figures: dict[str, Sequence[float]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)

    def why_not(self, number: str) -> str:
        """Why a goal or curve was not measured, as far as that was seen in the run."""
        reasons = {**self.absent, **self.broken}
        return next((why for numbers, why in reasons.items() if number in numbers.split()), "")

    @property
    def machine(self) -> str:
        """What was measured and where, in one line."""
        told = self.about
        rounds = f"up to {told['rounds']} quick rounds" if told["quick"] else f"{told['rounds']} rounds"
        return (
            f"{_DISTRIBUTION} {told['product']}, {told['python']}, {told['platform']}, {told['cpus']} CPUs "
            f"(load {told['load']:.1f} before), {rounds}, {told['began'][:10]}"
        )


def here() -> dict[str, Any]:
    """What is measured, and the machine."""
    direct = sorted(
        name[0]
        for each in requires(_DISTRIBUTION) or []
        if "extra ==" not in each and (name := re.match(r"[\w-]+", each))
    )
    return {
        "product": version(_DISTRIBUTION),
        "versions": {name: version(name) for name in direct},
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "platform": f"{platform.system()} {platform.machine()}",
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 2),
    }


def dumped(run: Run) -> str:
    """A run as JSON: one line for each goal and each point of a curve."""
    goals = [
        {"key": goal.key, "goal": goal.number, "what": goal.what, "baseline": goal.baseline, "must": goal.must}
        | {"stretch": goal.stretch, "at_least": goal.at_least, "unit": goal.unit}
        | {"verdict": goal.verdict(run.figures[goal.key]), **_summary(run.figures[goal.key])}
        for goal in GOALS
        if goal.key in run.figures
    ]
    curves = [
        {"key": curve.key_at(point), "curve": curve.key, "over": curve.over, "at": point}
        | {"baseline": curve.baseline, "unit": curve.unit, **_summary(run.figures[curve.key_at(point)])}
        for curve in CURVES
        for point in curve.points
        if curve.key_at(point) in run.figures
    ]
    parts = [f'"about": {json.dumps(run.about)}']
    parts += [f'"{name}": [{_lines(objects)}]' for name, objects in (("goals", goals), ("curves", curves))]
    parts += [f'"broken": {json.dumps(run.broken)}', f'"absent": {json.dumps(run.absent)}']
    return "{\n" + ",\n".join(parts) + "\n}\n"


def loaded(text: str) -> Run:
    """The run of which this is the JSON; what it says of goals is left aside, since the goals may have changed.

    Raises:
        ValueError: it is none.

    """
    try:
        told = json.loads(text)
        figures = {each["key"]: each["rounds"] for each in [*told["goals"], *told["curves"]]}
        run = Run(told["about"], figures, told["broken"], told["absent"])
        missing = _ABOUT - run.about.keys()

    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ValueError("This is not the JSON of a run.") from error
    if missing:
        raise ValueError(f"This run does not tell {', '.join(sorted(missing))}.")
    return run


def _summary(figures: Sequence[float]) -> Mapping[str, Any]:
    return {"median": median(figures), "min": min(figures), "max": max(figures), "rounds": figures}


def _lines(objects: Sequence[Mapping[str, Any]]) -> str:
    return "".join(f"\n  {json.dumps(each)}," for each in objects).removesuffix(",") + "\n"
