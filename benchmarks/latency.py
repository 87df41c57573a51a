"""What a message costs that comes alone, and what it waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

from benchmarks import subjects
from benchmarks.crowd import Chorus, Crowd, Heard, Pair, p99
from benchmarks.goals import Goal
from benchmarks.rounds import Experiment, Extent, Figures, Round, connected, rotated
from benchmarks.running import LINUX

_AGENTS = 20
_RATE = 50
_STEP_S = 0.05

GOALS = (
    Goal("G6.direct", "round trip of one message, log on", "direct", 10, 6),
    Goal("G6.sdk", "round trip of one message, log on", "SDK proxy", 0.5, 0.25, needs="agent-client-protocol"),
    Goal("G7", "20 agents x 50 updates/s: CPU an update, log on", "selectors", 4.0, 2.0, needs="Linux"),
    Goal("G8.p50", "the same, each flush stalls 50 ms: p50", "no stall", 1.2, 1.1),
    Goal("G8.p99", "the same, each flush stalls 50 ms: p99", "no stall", 1.5, 1.2),
    Goal("G10", "request to B while one of A takes 50 ms: p99", "unloaded", 3, 1.5),
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


@contextmanager
def crowd(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G7, G8: many agents at the pace of models, on a disk that answers and on one that stalls."""
    updates = extent(100, quick=50)
    with ExitStack() as stack:

        def agents(store: str) -> Crowd:
            (home := scratch / store).mkdir()
            return Crowd(stack.enter_context(subjects.product(home, store=store)), scratch, _AGENTS)

        cases: dict[str, Callable[[int, int], Heard]] = {
            "bare": Chorus(stack.enter_context(subjects.selecting(_AGENTS)), _AGENTS).listen,
            "files": agents("files").listen,
            "stalling": agents("stalling").listen,
        }

        def one(turn: int) -> Figures:
            heard = rotated(cases, turn, lambda listen: listen(updates, _RATE))
            files, stalling = heard["files"], heard["stalling"]
            figures = {"G8.p50": stalling.p50_s / files.p50_s, "G8.p99": stalling.p99_s / files.p99_s}
            return figures | {"G7": files.cpu_s / heard["bare"].cpu_s} if LINUX else figures

        yield one


@contextmanager
def beside(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G10: requests to one session, alone and while another one is always in a step that takes 50 ms."""
    asked = extent(400, quick=200)
    with subjects.product(scratch) as program:
        pair = Pair(program, scratch)

        def one(turn: int) -> Figures:
            cases = {"alone": 0.0, "beside": _STEP_S}
            took = rotated(cases, turn, lambda step_s: p99([pair.ask(step_s) for _ in range(asked)]))
            return {"G10": took["beside"] / took["alone"]}

        yield one


EXPERIMENTS = (Experiment("G6", round_trip), Experiment("G7 G8", crowd), Experiment("G10", beside))
