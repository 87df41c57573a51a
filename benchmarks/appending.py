"""What it costs to make records and metadata durable."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import subjects
from benchmarks.editor import Editor
from benchmarks.goals import Goal
from benchmarks.replaced import replaced
from benchmarks.rounds import Experiment, Extent, Figures, Round
from benchmarks.running import LINUX

_STREAMED = 1000
_EVENTS = 50
_LATE_S = 1.2

GOALS = (
    Goal("G11", "durable records a second, streamed", "1000 a fdatasync", 0.80, 1.0, at_least=True),
    Goal("G12.many", "durable records a second, 20 writers wait", "1 a fdatasync", 8, 12, at_least=True),
    Goal("G12.one", "durable records a second, one writer waits", "1 a fdatasync", 0.65, 0.75, at_least=True),
    Goal("G13.cost", "metadata replaced, durable", "1 a fdatasync", 4.2, 3.5),
    Goal("G13.count", "metadata replaced while 1000 updates stream", "", 5, 2, unit="times", needs="Linux"),
)


@contextmanager
def durable(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G11 to G13: the store itself, beside the same bytes written by hand."""
    looks = extent(5, quick=3)
    with subjects.storing(scratch) as program:

        def look(turn: int) -> Figures:
            os.write(program.stdin, json.dumps({"turn": turn, "events": _EVENTS}).encode() + b"\n")
            said = b""
            while not said.endswith(b"\n"):
                said += program.read()
            took = json.loads(said)
            return {
                "G11": took["raw grouped"] / took["streamed"],
                "G12.many": took["raw one"] / took["writers"],
                "G12.one": took["raw one"] / took["one writer"],
                "G13.cost": took["metadata"] / took["raw one"],
            }

        def one(turn: int) -> Figures:
            # A disk is slower at one moment than at the next: short looks that are compared one by one.
            seen = [look(turn + again) for again in range(looks)]
            return {key: median(figures[key] for figures in seen) for key in seen[0]}

        yield one


@contextmanager
def noted(scratch: Path, _: Extent) -> Iterator[Round]:
    """G13: how often the metadata of a session are replaced in a turn of 1000 updates."""
    with subjects.product(scratch) as program:
        editor = Editor(program).begin(scratch)
        folder = scratch / "kiro" / "sessions" / "core"

        def one(_: int) -> Figures:
            if not LINUX:
                return {}
            with replaced(folder) as count:
                editor.flood(_STREAMED)
                time.sleep(_LATE_S)  # what has changed is written within a second
                return {"G13.count": count()}

        yield one


EXPERIMENTS = (Experiment("G11 G12 G13", durable), Experiment("G13", noted))
