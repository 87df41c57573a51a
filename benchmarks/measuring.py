"""Run the experiments: what breaks in one does not take the figures of the others with it."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import interrupts
from benchmarks.areas import CURVES, GOALS
from benchmarks.kept import Run, here
from benchmarks.rounds import Absent, Experiment, Extent

QUICK_S = 100.0
"""What all rounds of a quick run may take; each experiment has an equal share, and what those before it left."""

KEYS = frozenset((*(goal.key for goal in GOALS), *(curve.key_at(point) for curve in CURVES for point in curve.points)))
"""What there are figures for."""

_DIGITS = 4
"""Significant ones of a figure: more of them say nothing, and what is told at once is what is told of a kept run."""

Tell = Callable[[str], None]


class Measuring:
    """One run; `run` has what was measured so far, whatever ends it."""

    def __init__(self, experiments: Sequence[Experiment], rounds: int, extent: Extent, tell: Tell) -> None:
        """Nothing was measured; `tell` is given a line of progress at each step."""
        self._experiments = experiments
        self._rounds = rounds
        self._extent = extent
        self._tell = tell
        self._began = time.monotonic()
        began = datetime.now(UTC).isoformat(timespec="seconds")
        self.run = Run({**here(), "began": began, "quick": extent.quick, "rounds": rounds, "took_s": 0.0, "each_s": {}})

    def measure(self) -> None:
        """Do all of it.

        Raises:
            KeyboardInterrupt: somebody ended it; no process of it is left.

        """
        left = list(self._experiments)
        try:
            with interrupts.once():
                while left:
                    self._take(left[0])
                    left.pop(0)
        except KeyboardInterrupt:
            self.run.absent.update({experiment.numbers: "interrupted" for experiment in left})
            raise
        finally:
            self.run.about["took_s"] = round(self._took(), 1)
            self._tell("")

    def _take(self, experiment: Experiment) -> None:
        name, begins = experiment.numbers, self._took()
        figures: dict[str, list[float]] = {}
        try:
            self._rounds_of(experiment, figures)
        except Absent as error:
            self.run.absent[name] = str(error)
        except KeyboardInterrupt:
            self.run.figures.update(figures)
            raise
        except Exception as error:  # noqa: BLE001 - an experiment may break in any way, and is told by its name
            self.run.broken[name] = f"{type(error).__name__}: {error}".rstrip(": ")
        else:
            self.run.figures.update(figures)
        finally:
            each_s = self.run.about["each_s"]
            each_s[name] = round(each_s.get(name, 0.0) + self._took() - begins, 1)

    def _rounds_of(self, experiment: Experiment, figures: dict[str, list[float]]) -> None:
        number, of = self._experiments.index(experiment) + 1, len(self._experiments)
        at = f"[{number}/{of}] {experiment.numbers}"
        self._tell(f"{at}: begins, {self._took():.0f} s")
        with (
            tempfile.TemporaryDirectory(prefix="kiro-benchmarks-", ignore_cleanup_errors=True) as scratch,
            experiment.begin(Path(scratch), self._extent) as one,
        ):
            for turn in range(self._rounds + 1):
                if turn > 1 and self._late(number / of):
                    break
                self._tell(f"{at}: round {turn} of {self._rounds}, {self._took():.0f} s")
                told = one(turn)
                if unknown := told.keys() - KEYS:
                    raise LookupError(f"There is no goal or curve for {', '.join(sorted(unknown))}.")
                for key, figure in told.items() if turn else ():  # the first one warms up
                    figures.setdefault(key, []).append(float(f"{figure:.{_DIGITS}g}"))

    def _late(self, share: float) -> bool:
        return self._extent.quick and self._took() > QUICK_S * share

    def _took(self) -> float:
        return time.monotonic() - self._began


def chosen(experiments: Sequence[Experiment], wanted: Collection[str]) -> Sequence[Experiment]:
    """Those that measure one of the goals and curves that are wanted."""
    return [experiment for experiment in experiments if not set(wanted).isdisjoint(experiment.numbers.split())]


def tell_terminal(progress: str) -> None:
    """Show a line of progress in the place of the one before, where somebody looks."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{progress}")
        sys.stderr.flush()
