"""Measure the installed program against its goals: `python -m benchmarks`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.areas import CURVES, EXPERIMENTS, GOALS
from benchmarks.goals import Curve, Goal
from benchmarks.kept import Run, dumped, loaded
from benchmarks.measuring import Measuring, chosen, tell_terminal
from benchmarks.picture import drawn
from benchmarks.rounds import Extent
from benchmarks.subjects import PRODUCT
from benchmarks.table import report, verdict

_ROUNDS, _QUICK_ROUNDS = 5, 3
_INTERRUPTED = 130

_EXAMPLES = """examples:
  python -m benchmarks                                    all goals, some minutes
  python -m benchmarks --quick                            a first look, below two minutes
  python -m benchmarks --only G1,G2,G3 --rounds 15
  python -m benchmarks --json run.json --picture run.svg  keep a run, and draw it
  python -m benchmarks --from run.json --markdown         tell a kept run again, without measuring

exit codes: 0 measured, 1 something broke (or, with --check, misses what it must reach), 2 wrong usage, 130 interrupted
"""


def main() -> int:
    """Measure, or read a run that was kept, and tell it."""
    parser = _parser()
    given = parser.parse_args()
    goals, curves, wanted = _wanted(parser, given.only)
    interrupted = False
    if given.kept:
        try:
            run = loaded(given.kept.read_text("utf-8"))
        except (OSError, ValueError) as error:
            parser.error(f"{given.kept}: {error}")
    else:
        if not Path(PRODUCT).exists():
            parser.error(f"There is no {PRODUCT}: install the project into the Python that measures.")
        rounds = given.rounds or (_QUICK_ROUNDS if given.quick else _ROUNDS)
        measuring = Measuring(chosen(EXPERIMENTS, wanted), rounds, Extent(quick=given.quick), tell_terminal)
        run = measuring.run
        try:
            measuring.measure()
        except KeyboardInterrupt:
            interrupted = True
    _tell(given, run, goals, curves)
    return _INTERRUPTED if interrupted else _code(given, run, goals)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        description=f"Measure {PRODUCT} against its goals, as ratios to baselines that run in turn with it.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="G1,G6", help="these goals and curves and no other")
    parser.add_argument(
        "--rounds", type=_at_least_one, metavar="N", help="how often each is compared (5; 3 with --quick)"
    )
    parser.add_argument("--quick", action="store_true", help="small and fewer rounds, below two minutes in all")
    parser.add_argument(
        "--from", dest="kept", type=Path, metavar="FILE", help="measure nothing: tell the run kept there"
    )
    parser.add_argument("--markdown", action="store_true", help="print the tables for the documentation")
    parser.add_argument(
        "--json", nargs="?", const="-", metavar="FILE", help="keep every round's figures; without FILE print them"
    )
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="draw the run")
    parser.add_argument("--check", action="store_true", help="end with 1 when a goal misses what it must reach")
    return parser


def _at_least_one(word: str) -> int:
    number = int(word)
    if number < 1:
        raise ValueError(word)
    return number


def _wanted(parser: argparse.ArgumentParser, only: str | None) -> tuple[Sequence[Goal], Sequence[Curve], set[str]]:
    names = {name.lower(): name for name in (*(goal.number for goal in GOALS), *(curve.key for curve in CURVES))}
    given = {name.strip().lower() for name in only.split(",")} if only else names.keys()
    if unknown := given - names.keys():
        there = ", ".join(dict.fromkeys(names.values()))
        parser.error(f"There is no goal or curve {', '.join(sorted(unknown))}; there are {there}.")
    wanted = {names[name] for name in given}
    return [goal for goal in GOALS if goal.number in wanted], [each for each in CURVES if each.key in wanted], wanted


def _tell(given: argparse.Namespace, run: Run, goals: Sequence[Goal], curves: Sequence[Curve]) -> None:
    if given.json == "-":
        sys.stdout.write(dumped(run))
    else:
        sys.stdout.write(report(run, goals, curves, as_markdown=given.markdown))
    if given.json and given.json != "-":
        Path(given.json).write_text(dumped(run), "utf-8")
    if given.picture:
        given.picture.write_text(drawn(run, goals, curves), "utf-8")
    for numbers, why in run.broken.items():
        sys.stderr.write(f"{numbers} broke: {why}\n")


def _code(given: argparse.Namespace, run: Run, goals: Sequence[Goal]) -> int:
    missed = given.check and any(verdict(run, goal) == "missed" for goal in goals)
    return 1 if run.broken or missed else 0


if __name__ == "__main__":
    sys.exit(main())
