"""A round runs every case once, in a rotated order, and compares inside the round only.

A busy neighbour then slows what is measured and its baseline alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from benchmarks.editor import Editor
from benchmarks.subjects import Subject

Figures = Mapping[str, float]
Round = Callable[[int], Figures]
"""Given its number, the figure of each key (`Goal.key`, `Curve.key_at`); one that cannot be measured is left out."""

S = TypeVar("S")
T = TypeVar("T")


class Absent(Exception):
    """What an experiment needs is not here: its text says what, and how to get it; it may be raised on entering one."""


@dataclass(frozen=True, slots=True)
class Extent:
    """How much work a round is."""

    quick: bool

    def __call__(self, full: int, *, quick: int) -> int:
        """One of two numbers."""
        return quick if self.quick else full


@dataclass(frozen=True, slots=True)
class Experiment:
    """What measures some goals and curves: `begin(scratch, extent)` is entered once, and gives what a round does.

    `numbers` are those of its goals and the keys of its curves, between blanks. `scratch` is an empty folder;
    the first round warms up and does not count.
    """

    numbers: str
    begin: Callable[[Path, Extent], AbstractContextManager[Round]]


def rotated(cases: Mapping[str, S], turn: int, run: Callable[[S], T]) -> dict[str, T]:
    """Run each case once, beginning with another one each turn."""
    names = list(cases)
    first = turn % len(names)
    return {name: run(cases[name]) for name in names[first:] + names[:first]}


@contextmanager
def connected(programs: Mapping[str, Callable[[], Subject]], scratch: Path) -> Iterator[Mapping[str, Editor]]:
    """An editor with a session for each; they stay for all rounds."""
    with ExitStack() as stack:
        yield {name: Editor(stack.enter_context(start())).begin(scratch) for name, start in programs.items()}
