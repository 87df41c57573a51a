"""What a message costs that comes alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import subjects
from benchmarks.goals import Goal
from benchmarks.rounds import Experiment, Extent, Figures, Round, connected, rotated

GOALS = (
    Goal("G6.direct", "round trip of one message, log on", "direct", 10, 6),
    Goal("G6.sdk", "round trip of one message, log on", "SDK proxy", 0.5, 0.25, needs="agent-client-protocol"),
)


@contextmanager
def round_trip(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G6: one message to the agent and one back, nothing else on its way."""
    pings = extent(300, quick=100)
    programs = {"direct": subjects.direct, "on": lambda: subjects.product(scratch)}
    programs |= {"sdk": subjects.sdk} if subjects.HAS_SDK else {}
    with connected(programs, scratch) as editors:

        def one(turn: int) -> Figures:
            took = rotated(editors, turn, lambda editor: median(editor.ping() for _ in range(pings)))
            return {f"G6.{name}": took["on"] / took[name] for name in took if name != "on"}

        yield one


EXPERIMENTS = (Experiment("G6", round_trip),)
