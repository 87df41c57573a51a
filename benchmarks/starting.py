"""How long it takes until the program is there."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import subjects
from benchmarks.editor import Editor
from benchmarks.goals import Goal
from benchmarks.rounds import Experiment, Extent, Figures, Round, rotated

_REFERENCE = [sys.executable, "-c", "import anyio, pydantic_settings"]

GOALS = (Goal("G19", "from spawn to the answer of initialize", "R", 0.60, 0.35),)


@contextmanager
def start(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G19: how long an editor waits for the first answer."""
    starts = extent(5, quick=2)
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
        took = [rotated(cases, turn + again, lambda case: case()) for again in range(starts)]
        return {"G19": median(each["acp"] for each in took) / median(each["R"] for each in took)}

    yield one


EXPERIMENTS = (Experiment("G19", start),)
