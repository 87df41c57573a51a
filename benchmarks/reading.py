"""What listing, reading, opening and locking stored sessions costs, and that it does not grow with what is stored."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from benchmarks import host, subjects
from benchmarks.goals import Curve, Goal
from benchmarks.rounds import Experiment, Extent, Figures, Round, rotated
from benchmarks.running import LINUX

_PROGRAMS = Path(__file__).parent / "programs"
_LIMIT_S = 120
_NUMBERED = "00000000-0000-4000-8000-{:012}"
_SMALL, _MANY = 10_000, 1_000_000
_CROWDS = (1_000, 10_000, 100_000)

GOALS = (
    Goal("G14", "a page of 50 of 10 000 sessions", "scandir + stat", 1.8, 1.5),
    Goal("G14.all", "all 10 000 sessions at once", "scandir + stat", 1.8, 1.5),
    Goal("G16", "a scan of 1 000 000 records", "their last 1000", 500, 700, at_least=True),
    Goal("G16.size", "the last 1000 of 1 000 000 records", "of 10 000", 1.3, 1.1),
    Goal("G16.open", "session/resume with 1 000 000 records", "with 10 000", 1.3, 1.1),
    Goal("G17", "replay of 1 000 000 records", "count their lines", 3.5, 3.0),
    Goal("G17.memory", "memory growth in that", "", 16, 8, unit="MiB", needs="Linux"),
    Goal("G17.load", "highest in session/load of 200 000", "", 16, 8, unit="MiB", needs="Linux"),
    Goal("G24.faults", "two owners or none, rivals killed", "", 0, 0),
    Goal("G24.acquire", "locks of a session taken and freed", "open+flock+close of one file", 4, 2.5),
    Goal("G24.takeover", "from kill -9 to the next owner", "", 10, 3, unit="ms"),
    Goal("G27", "torn tails of which all else is there", "", 100, 100, at_least=True, unit="%"),
    Goal("G27.size", "opening a torn log of 1 000 000", "of 10 000", 1.5, 1.1),
)

_SHOWN = 200_000

CURVES = (
    Curve("list", "a page of 50", "stored sessions", _CROWDS, "scandir + stat"),
    Curve("replay", "replay of a log", "records", (_SMALL, 100_000, _MANY), "count its lines"),
)


def _asked(program: str, *given: object) -> Mapping[str, float]:
    """What a program of ours prints."""
    argv = [sys.executable, str(_PROGRAMS / f"{program}.py"), *map(str, given)]
    told = subprocess.run(argv, stdout=subprocess.PIPE, check=True, timeout=_LIMIT_S)
    figures: Mapping[str, float] = json.loads(told.stdout)
    return figures


@contextmanager
def listing(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G14: a cold process lists a folder that nobody has indexed."""
    crowds = {size: scratch / f"crowd-{size}" for size in _CROWDS[: extent(3, quick=2)]}
    for size, root in crowds.items():
        _asked("filling", "crowd", root, size)

    def took(root: Path, turn: int, *limits: int) -> dict[str, float]:
        cases = {str(limit): partial(_asked, "stored", "list", root, limit) for limit in limits}
        cases["scan"] = partial(_asked, "stored", "scan", root)
        return {name: told["s"] for name, told in rotated(cases, turn, lambda case: case()).items()}

    def one(turn: int) -> Figures:
        each = {size: took(root, turn, 50, *([size] if size == _SMALL else [])) for size, root in crowds.items()}
        figures = {f"list@{size}": told["50"] / told["scan"] for size, told in each.items()}
        told = each[_SMALL]
        return {**figures, "G14": told["50"] / told["scan"], "G14.all": told[str(_SMALL)] / told["scan"]}

    yield one


@contextmanager
def reading(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G16, G17, G27: logs of three sizes; with `--quick` the largest has a tenth of its records."""
    root, sizes = scratch / "logs", {_SMALL: _SMALL, 100_000: 100_000, _MANY: extent(_MANY, quick=100_000)}
    logs = {size: _NUMBERED.format(size) for size in sizes}
    for size, session in logs.items():
        _asked("filling", "log", root, session, sizes[size])

    def one(turn: int) -> Figures:
        figures: dict[str, float] = {}
        for size, session in logs.items():
            cases = {what: partial(_asked, "stored", what, root, session) for what in ("read", "count")}
            told = rotated(cases, turn, lambda case: case())
            figures[f"replay@{size}"] = told["read"]["s"] / told["count"]["s"]
        tails = _asked("stored", "tail", root, logs[_SMALL], logs[_MANY])
        torn = _asked("stored", "torn", root, logs[_SMALL], logs[_MANY])
        scanned = told["read"]["s"] / told["read"]["records"] * _MANY
        memory = {"G17.memory": told["read"]["mb"]} if LINUX else {}
        return {
            **figures,
            **memory,
            "G16": scanned / tails[logs[_MANY]],
            "G16.size": tails[logs[_MANY]] / tails[logs[_SMALL]],
            "G17": figures[f"replay@{_MANY}"],
            "G27": _asked("stored", "recovered", scratch / f"torn-{turn}", _NUMBERED.format(1))["percent"],
            "G27.size": torn[logs[_MANY]] / torn[logs[_SMALL]],
        }

    yield one


@contextmanager
def opening(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G16.open, G17.load: an editor goes on with a long session, and has a long one shown."""
    program = partial(subjects.product, scratch)
    with program() as begun:
        small, large, shown = host.Editor(begun, scratch).begin(3)
    root = scratch / "kiro" / "sessions" / "core"
    for session, size in (
        (small, _SMALL),
        (large, extent(_MANY, quick=100_000)),
        (shown, extent(_SHOWN, quick=20_000)),
    ):
        _asked("filling", "log", root, session, size)

    def one(turn: int) -> Figures:
        with program() as running:
            editor = host.Editor(running, scratch)
            editor.begin(1)  # what the first session loads is not theirs

            def resumed(session: str) -> float:
                begins = time.perf_counter()
                editor.open("session/resume", session)
                return time.perf_counter() - begins

            took = rotated({"small": small, "large": large}, turn, resumed)
            figures = {"G16.open": took["large"] / took["small"]}
            before = running.rss_mb()
            running.forget_peak()
            editor.open("session/load", shown)
            return {**figures, "G17.load": running.peak_rss_mb() - before} if LINUX else figures

    yield one


@contextmanager
def locking(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G24: rivals for one session, killed in the midst of their work."""
    kills, root, session = extent(500, quick=20), scratch / "locks", _NUMBERED.format(0)
    _asked("filling", "log", root, session, 1)

    def one(_: int) -> Figures:
        fight = _asked("contending", root, session, kills)
        return {
            "G24.faults": fight["overlaps"] + fight["stuck"],
            "G24.acquire": _asked("stored", "lock", root, session)["ratio"],
            "G24.takeover": fight["ms"],
        }

    yield one


EXPERIMENTS = (
    Experiment("G14 list", listing),
    Experiment("G16 G17 G27 replay", reading),
    Experiment("G16 G17", opening),
    Experiment("G24", locking),
)
