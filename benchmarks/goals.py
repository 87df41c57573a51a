"""The goals: what is promised, in figures that carry over from machine to machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise: `must` and `stretch` are ratios to `baseline`, or `unit` where there is none.

    `key` is the goal's number, with what tells two figures of one goal apart; `needs` says what has
    to be there to measure it.
    """

    key: str
    what: str
    baseline: str
    must: float
    stretch: float
    at_least: bool = False
    unit: str = ""
    needs: str = ""

    @property
    def number(self) -> str:
        """`G3` of `G3.on`."""
        return self.key.partition(".")[0]

    def verdict(self, measured: Sequence[float]) -> str:
        """`stretch`, `holds` or `missed`, by the median; `skipped` when nothing was measured."""
        if not measured:
            return "skipped"
        figure = median(measured)
        for bound, word in ((self.stretch, "stretch"), (self.must, "holds")):
            if figure >= bound if self.at_least else figure <= bound:
                return word
        return "missed"


@dataclass(frozen=True, slots=True)
class Curve:
    """How a figure grows: its value at each of `points`, in `unit`, or as a ratio to `baseline`; `over` names them."""

    key: str
    what: str
    over: str
    points: Sequence[int]
    baseline: str = ""
    unit: str = ""
    needs: str = ""

    def key_at(self, point: int) -> str:
        """The key of the figure at one point."""
        return f"{self.key}@{point}"
