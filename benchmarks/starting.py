"""How long it takes until the program is there, in units of a start of Python with two libraries (`R`)."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import subjects
from benchmarks.editor import Editor
from benchmarks.goals import Goal
from benchmarks.host import Asking
from benchmarks.rounds import Experiment, Extent, Figures, Round, rotated
from benchmarks.running import LINUX, Program

_REFERENCE = [sys.executable, "-c", "import anyio, pydantic_settings"]
_DISTRIBUTIONS = 100

GOALS = (
    Goal("G18", "kiro-core --help", "R", 0.35, 0.20),
    Goal("G19", "from spawn to the answer of initialize", "R", 0.60, 0.35),
    Goal("G19.new", "first session/new behind it, less that of the agent alone", "R", 1.50, 1.0),
    Goal("G20.start", "a crew's MCP server, from spawn to the answer of initialize", "R", 0.35, 0.15, needs="mcp"),
    Goal("G20.call", "call of its cheapest tool", "by hand", 4.0, 2.5, needs="mcp"),
    Goal("G20.rss", "its memory", "", 25, 12, unit="MiB", needs="mcp, Linux"),
    Goal("G21", "100 distributions more: CPU added to G19", "R", 0.08, 0.01, needs="Linux"),
    Goal("G21.new", "the same, added to the first session/new", "R", 0.08, 0.03, needs="Linux"),
)


def _reference(environment: Mapping[str, str]) -> float:
    return _seconds(_REFERENCE, environment)


def _seconds(command: list[str], environment: Mapping[str, str]) -> float:
    begins = time.perf_counter()
    subprocess.run(command, check=True, timeout=60, env=environment, stdout=subprocess.DEVNULL)
    return time.perf_counter() - begins


def _opened(
    start: subjects.Subject, scratch: Path, clock: Callable[[Program], float] | None = None
) -> tuple[float, float]:
    """Seconds from the spawn to the answer of `initialize`, and to that of a `session/new` right behind it.

    They are those of `clock`, which begins with the program, or of the wall.
    """
    begins = time.perf_counter()
    with start as program:
        editor = Editor(program)
        answered = clock(program) if clock else time.perf_counter() - begins
        editor.begin(scratch)
        return answered, clock(program) if clock else time.perf_counter() - begins


@contextmanager
def start(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G18, G19: how long a person waits for help, an editor for the first answer and for the first session."""
    starts = extent(3, quick=1)
    environment = subjects.home(scratch)
    cases = {
        "R": lambda: (0.0, _reference(environment)),
        "help": lambda: (0.0, _seconds([subjects.PRODUCT, "--help"], environment)),
        "acp": lambda: _opened(subjects.product(scratch), scratch),
        "agent": lambda: _opened(subjects.direct(), scratch),
    }

    def one(turn: int) -> Figures:
        took = [rotated(cases, turn + again, lambda case: case()) for again in range(starts)]
        answered = median(each["acp"][0] for each in took)
        whole = {name: median(each[name][1] for each in took) for name in cases}
        new = whole["acp"] - whole["agent"]
        return {"G18": whole["help"] / whole["R"], "G19": answered / whole["R"], "G19.new": new / whole["R"]}

    yield one


@contextmanager
def discovery(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G21: what it adds when many distributions are installed that have plugins for others and none for us.

    In CPU time, which a busy machine changes less than the difference of two starts by a clock.
    """
    starts = extent(5, quick=1)
    environment = subjects.home(scratch)
    folder = _distributions(scratch / "installed")
    cases = {
        "R": lambda: (0.0, _cpu_s(_REFERENCE, environment)),
        "few": lambda: _opened(subjects.product(scratch), scratch, Program.cpu_s),
        "many": lambda: _opened(subjects.product(scratch, beside=folder), scratch, Program.cpu_s),
    }

    def one(turn: int) -> Figures:
        took = [rotated(cases, turn + again, lambda case: case()) for again in range(starts)]
        added = [median(each["many"][stage] - each["few"][stage] for each in took) for stage in (0, 1)]
        reference = median(each["R"][1] for each in took)
        return {"G21": added[0] / reference, "G21.new": added[1] / reference}

    yield one if LINUX else _nothing


def _cpu_s(command: list[str], environment: Mapping[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    _seconds(command, environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _distributions(folder: Path) -> Path:
    for number in range(_DISTRIBUTIONS):
        about = folder / f"installed_{number}-1.0.dist-info"
        about.mkdir(parents=True)
        (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: installed-{number}\nVersion: 1.0\n")
        (about / "entry_points.txt").write_text(f"[console_scripts]\ntool{number} = tool:main\n\n[other]\na = tool\n")
    return folder


@contextmanager
def crew(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G20: the MCP server that a member of a crew is given, started and called by its agent as any other."""
    starts, calls = extent(5, quick=2), extent(300, quick=50)
    environment = subjects.home(scratch)
    if not subjects.HAS_MCP:
        yield _nothing
        return
    given = {"command": "list_sessions"}
    listing = {"starts": starts, "calls": calls, "tool": "session_management", "arguments": given}
    by_hand = {**listing, "command": subjects.BY_HAND}
    with subjects.crewed(scratch) as program:
        editor = Asking(program)
        editor.ask([("initialize", {"protocolVersion": 1, "clientCapabilities": {}})])
        [begun] = editor.ask([("session/new", {"cwd": str(scratch), "mcpServers": []})])

        def measured(wanted: Mapping[str, object]) -> dict[str, list[float]]:
            prompt = [{"type": "text", "text": json.dumps(wanted)}]
            [told] = editor.ask([("session/prompt", {"sessionId": begun["sessionId"], "prompt": prompt})])
            figures: dict[str, list[float]] = told["_meta"]["measured"]
            return figures

        def one(turn: int) -> Figures:
            reference = median(_reference(environment) for _ in range(starts))
            took = rotated({"crew": listing, "hand": by_hand}, turn, measured)
            figures = {
                "G20.start": median(took["crew"]["start_s"]) / reference,
                "G20.call": median(took["crew"]["call_s"]) / median(took["hand"]["call_s"]),
            }
            return {**figures, **({"G20.rss": float(took["crew"]["rss_mb"])} if LINUX else {})}  # type: ignore[arg-type] # one number

        yield one


def _nothing(_: int) -> Figures:
    return {}


EXPERIMENTS = (Experiment("G18 G19", start), Experiment("G20", crew), Experiment("G21", discovery))
