"""Measure the installed program against its goals: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median

from benchmarks.areas import EXPERIMENTS, GOALS
from benchmarks.goals import Goal
from benchmarks.rounds import Extent
from benchmarks.running import Ended
from benchmarks.subjects import PRODUCT

Measured = Mapping[str, Sequence[float]]
"""The figure of each round, by the goal's key."""

_HEADER = ("goal", "what", "baseline", "must", "stretch", "measured", "min..max", "verdict")


def main() -> int:
    """Measure, and print one table."""
    given = _arguments()
    numbers = {goal.number for goal in GOALS}
    wanted = set(given.only.upper().split(",")) if given.only else numbers
    if unknown := wanted - numbers:
        sys.exit(f"There is no goal {', '.join(sorted(unknown))}; there are {', '.join(sorted(numbers))}.")
    try:
        measured = _measure(wanted, given.rounds or (3 if given.quick else 5), Extent(quick=given.quick))
    except Ended as error:
        sys.exit(str(error))
    goals = [goal for goal in GOALS if goal.number in wanted]
    print(json.dumps(_objects(goals, measured), indent=2) if given.json else _table(goals, measured))
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser("benchmarks", description=f"Measure {PRODUCT} against its goals.")
    parser.add_argument("--only", metavar="G1,G6", help="these goals and no other")
    parser.add_argument("--rounds", type=int, help="how often each is compared (5; 3 with --quick)")
    parser.add_argument("--quick", action="store_true", help="small rounds, for a first look")
    parser.add_argument("--json", action="store_true", help="print every round's figures as JSON")
    return parser.parse_args()


def _measure(wanted: set[str], rounds: int, extent: Extent) -> Measured:
    measured: dict[str, list[float]] = {}
    for experiment in EXPERIMENTS:
        if not wanted & set(experiment.numbers.split()):
            continue
        with (
            tempfile.TemporaryDirectory(prefix="kiro-benchmarks-") as scratch,
            experiment.begin(Path(scratch), extent) as one,
        ):
            for turn in range(rounds + 1):
                _tell(f"{experiment.numbers}: round {turn} of {rounds}")
                figures = one(turn)
                for key, figure in figures.items() if turn else ():  # the first one warms up
                    measured.setdefault(key, []).append(figure)
    _tell("")
    return measured


def _tell(progress: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{progress}")
        sys.stderr.flush()


def _objects(goals: Sequence[Goal], measured: Measured) -> list[dict[str, object]]:
    return [
        {
            "goal": goal.number,
            "what": goal.what,
            "baseline": goal.baseline,
            "must": goal.must,
            "stretch": goal.stretch,
            "at_least": goal.at_least,
            "unit": goal.unit,
            "median": median(figures) if figures else None,
            "rounds": figures,
            "verdict": goal.verdict(figures),
        }
        for goal in goals
        for figures in [measured.get(goal.key, ())]
    ]


def _table(goals: Sequence[Goal], measured: Measured) -> str:
    rows = [_HEADER, *(_row(goal, measured.get(goal.key, ())) for goal in goals)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def _row(goal: Goal, figures: Sequence[float]) -> tuple[str, ...]:
    sign, unit = (">=" if goal.at_least else "<="), f" {goal.unit}".rstrip()
    bounds = [f"{sign} {bound:g}{unit}" for bound in (goal.must, goal.stretch)]
    told = ("", f"needs {goal.needs}")
    if figures:
        told = (f"{median(figures):.2f}{unit}", f"{min(figures):.2f}..{max(figures):.2f}")
    return (goal.number, goal.what, goal.baseline or "-", *bounds, *told, goal.verdict(figures))


if __name__ == "__main__":
    sys.exit(main())
