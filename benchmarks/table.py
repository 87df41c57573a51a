"""A run as tables, for a terminal and for the documentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median

from benchmarks.goals import Curve, Goal
from benchmarks.kept import Run
from benchmarks.rounds import Experiment

Rows = Sequence[Sequence[str]]

_GOALS = ("goal", "what", "to", "must", "stretch", "measured", "min..max", "verdict")
_CURVES = ("growth", "what", "to", "over", "measured at each")

GETTING: Mapping[str, str] = {
    "agent-client-protocol": "pip install agent-client-protocol",
    "mcp": "pip install 'kiro-core[mcp]'",
    "Linux": "CPU time and memory of other processes can be read there only",
}
"""How to get what a goal needs."""


def goal_rows(run: Run, goals: Sequence[Goal]) -> Rows:
    """The head and a row for each goal."""
    return [_GOALS, *(_goal_row(run, goal) for goal in goals)]


def curve_rows(run: Run, curves: Sequence[Curve]) -> Rows:
    """The head and a row for each curve that was measured at a point at least."""
    told = [(curve, measured_at(run, curve)) for curve in curves]
    return [
        _CURVES,
        *(
            (curve.key, curve.what, curve.baseline or "-", curve.over, ", ".join(_points(curve, figures)))
            for curve, figures in told
            if figures
        ),
    ]


def experiment_rows(experiments: Sequence[Experiment]) -> Rows:
    """The head and a row for each experiment, in the order of its goals: what it does, by its own words."""
    rows = [(", ".join(each.numbers.split()), described(each)) for each in experiments]
    return [("goals, growth", "how it is measured"), *sorted(rows, key=lambda row: natural(row[0].partition(",")[0]))]


def described(experiment: Experiment) -> str:
    """The first paragraph of its description, behind the numbers that it begins with."""
    told = " ".join((experiment.begin.__doc__ or "").partition("\n\n")[0].split())
    return told.partition(": ")[2].removesuffix(".")


def natural(number: str) -> tuple[str, int]:
    """For putting `G9` before `G10`; curves, which have no numbers, come last."""
    digits = number[1:]
    return (number[0], int(digits)) if digits.isdigit() else ("~" + number, 0)


def measured_at(run: Run, curve: Curve) -> Mapping[int, Sequence[float]]:
    """The figures of a curve at each point where there are some."""
    keys = {point: curve.key_at(point) for point in curve.points}
    return {point: run.figures[key] for point, key in keys.items() if key in run.figures}


def missing(run: Run, number: str, needs: str) -> str:
    """Why something was not measured, and what to do: `needs` as goals and curves have it."""
    if why := run.why_not(number):
        return why.partition("\n")[0]
    if not any(number in numbers.split() for numbers in run.about["each_s"]):
        return "not in this run"
    kinds = [kind.strip() for kind in needs.split(",") if kind.strip()]
    told = "; ".join(f"{kind} ({GETTING[kind]})" if kind in GETTING else kind for kind in kinds)
    return f"needs {told}" if told else "gives no figure here"


def verdict(run: Run, goal: Goal) -> str:
    """`stretch`, `holds`, `missed`, `broken` or `skipped`."""
    figures = run.figures.get(goal.key, ())
    broken = not figures and any(goal.number in numbers.split() for numbers in run.broken)
    return "broken" if broken else goal.verdict(figures)


def figure(value: float, unit: str = "") -> str:
    """Three digits that mean something, and the unit."""
    return f"{value:.0f}{_behind(unit)}" if abs(value) >= 100 else f"{value:.3g}{_behind(unit)}"


def reached(goal: Goal, value: float) -> str:
    """What was measured; with one digit more where three would look like what was missed by little."""
    told = figure(value, goal.unit)
    close = told == figure(goal.must, goal.unit) and goal.verdict([value]) == "missed"
    return f"{value:.4g}{_behind(goal.unit)}" if close else told


def bound(goal: Goal, value: float) -> str:
    """What must be reached, as `<= 8 MiB`."""
    return f"{'>=' if goal.at_least else '<='} {figure(value, goal.unit)}"


def text(rows: Rows) -> str:
    """Rows in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "".join("  ".join(map(str.ljust, row, widths)).rstrip() + "\n" for row in rows)


def markdown(rows: Rows) -> str:
    """Rows as a table of Markdown."""
    head, *rest = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "".join(f"| {' | '.join(row)} |\n" for row in (head, ["---"] * len(head), *rest))


def report(run: Run, goals: Sequence[Goal], curves: Sequence[Curve], *, as_markdown: bool) -> str:
    """Both tables, and what was measured where."""
    form = markdown if as_markdown else text
    parts = [f"{run.machine}.\n", form(goal_rows(run, goals)) if goals else ""]
    grown = curve_rows(run, curves)
    parts.append(form(grown) if len(grown) > 1 else "")
    return "\n".join(part for part in parts if part)


def _goal_row(run: Run, goal: Goal) -> Sequence[str]:
    figures, word = run.figures.get(goal.key, ()), verdict(run, goal)
    told = ("", "", f"{word}: {missing(run, goal.number, goal.needs)}")
    if figures:
        told = (reached(goal, median(figures)), f"{figure(min(figures))}..{figure(max(figures))}", word)
    bounds = [bound(goal, value) for value in (goal.must, goal.stretch)]
    return (goal.number, goal.what, goal.baseline or "-", *bounds, *told)


def _points(curve: Curve, figures: Mapping[int, Sequence[float]]) -> list[str]:
    return [f"{point:,}: {figure(median(each), curve.unit)}".replace(",", " ") for point, each in figures.items()]


def _behind(unit: str) -> str:
    return f" {unit}" if unit and unit != "%" else unit
