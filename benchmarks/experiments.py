"""The experiments: each round runs every case once, in a rotated order, and compares inside the round only.

A busy neighbour then slows what is measured and its baseline alike.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeVar

from benchmarks import subjects
from benchmarks.editor import Editor
from benchmarks.running import LINUX

Figures = Mapping[str, float]
Round = Callable[[int], Figures]
"""Given its number, the figure of each goal's key; a key is left out where it cannot be measured."""

S = TypeVar("S")
T = TypeVar("T")

_STALL_S = 3.0
_LOOKS = 6
_ENDLESS = 3_000_000
_REFERENCE = [sys.executable, "-c", "import anyio, pydantic_settings"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much work one round is."""

    updates: int = 50_000
    pings: int = 300
    starts: int = 5
    chats: int = 50


def rotated(cases: Mapping[str, S], turn: int, run: Callable[[S], T]) -> dict[str, T]:
    """Run each case once, beginning with another one each turn."""
    names = list(cases)
    first = turn % len(names)
    return {name: run(cases[name]) for name in names[first:] + names[:first]}


@contextmanager
def connected(programs: Mapping[str, Callable[[], subjects.Subject]], scratch: Path) -> Iterator[Mapping[str, Editor]]:
    """An editor with a session for each; they stay for all rounds."""
    with ExitStack() as stack:
        yield {name: Editor(stack.enter_context(start())).begin(scratch) for name, start in programs.items()}


@contextmanager
def relay(scratch: Path, sizes: Sizes) -> Iterator[Round]:
    """G1 to G3: updates as fast as they go, from the agent to the editor."""
    programs = {
        "raw": subjects.raw,
        "off": lambda: subjects.product(scratch, log=False),
        "on": lambda: subjects.product(scratch),
    }
    with connected(programs, scratch) as editors:

        def one(turn: int) -> Figures:
            floods = rotated(editors, turn, lambda editor: editor.flood(sizes.updates))
            base, off, on = floods["raw"], floods["off"], floods["on"]
            figures = {"G1": off.rate / base.rate, "G2": on.rate / base.rate}
            if LINUX:
                figures |= {"G3.off": off.cpu_s / base.cpu_s, "G3.on": on.cpu_s / base.cpu_s}
            return figures

        yield one


@contextmanager
def round_trip(scratch: Path, sizes: Sizes) -> Iterator[Round]:
    """G6: one message to the agent and one back, nothing else on its way."""
    programs = {"direct": subjects.direct, "on": lambda: subjects.product(scratch)}
    programs |= {"sdk": subjects.sdk} if subjects.HAS_SDK else {}
    with connected(programs, scratch) as editors:

        def one(turn: int) -> Figures:
            took = rotated(editors, turn, lambda editor: median(editor.ping() for _ in range(sizes.pings)))
            return {f"G6.{name}": took["on"] / took[name] for name in took if name != "on"}

        yield one


@contextmanager
def stall(scratch: Path, _: Sizes) -> Iterator[Round]:
    """G9: the editor stops reading while the agent goes on; what is in between must not fill memory."""

    def one(_: int) -> Figures:
        with subjects.product(scratch) as program:
            editor = Editor(program).begin(scratch)
            before = program.rss_mb()
            editor.begin_flood(_ENDLESS)
            program.read()
            highest = before
            for _ in range(_LOOKS):
                time.sleep(_STALL_S / _LOOKS)  # the stall is the experiment
                highest = max(highest, program.rss_mb())
            return {"G9": highest - before} if LINUX else {}

    yield one


@contextmanager
def start(scratch: Path, sizes: Sizes) -> Iterator[Round]:
    """G19: how long an editor waits for the first answer."""
    environment = subjects.home(scratch)

    def reference() -> float:
        begins = time.perf_counter()
        subprocess.run(_REFERENCE, check=True, timeout=60, env=environment)
        return time.perf_counter() - begins

    def answered() -> float:
        begins = time.perf_counter()
        with subjects.product(scratch) as program:
            Editor(program)
            return time.perf_counter() - begins

    def one(turn: int) -> Figures:
        cases = {"R": reference, "acp": answered}
        took = [rotated(cases, turn + again, lambda case: case()) for again in range(sizes.starts)]
        return {"G19": median(each["acp"] for each in took) / median(each["R"] for each in took)}

    yield one


EXPERIMENTS: Mapping[str, Callable[[Path, Sizes], AbstractContextManager[Round]]] = {
    "G1 G2 G3": relay,
    "G6": round_trip,
    "G9": stall,
    "G19": start,
}
"""By the numbers of the goals that they measure."""
