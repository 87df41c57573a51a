"""What it costs to hold sessions: memory and processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import subjects
from benchmarks.goals import Curve, Goal
from benchmarks.host import Editor
from benchmarks.rounds import Experiment, Extent, Figures, Round
from benchmarks.running import LINUX, Program, running
from benchmarks.trees import descriptors, memory_mb, tree, until

_REFERENCE = [sys.executable, "-c", "import anyio, asyncio, sys; print(flush=True); sys.stdin.read()"]
_ASLEEP_S = 60.0
_AT_ONCE = 20
_SESSIONS = 10
_SERVERS = 5
_POINTS = (10, 50, 200)

GOALS = (
    Goal("G26", "memory of an idle manager", "import anyio, asyncio", 2.0, 1.25, needs="Linux"),
    Goal("G26.session", "memory of an open session that is idle", "", 12, 9, unit="KiB", needs="Linux"),
    Goal("G26.fds", "its descriptors", "", 2, 2, needs="Linux"),
    Goal("G29.processes", "processes of 10 sessions with 5 MCP servers each", "direct", 1.05, 1.05, needs="Linux"),
    Goal("G29.memory", "their memory", "direct", 1.05, 1.03, needs="Linux"),
)

CURVES = (Curve("idle", "memory of the manager by idle sessions", "open sessions", _POINTS, unit="MiB", needs="Linux"),)


@contextmanager
def alone(scratch: Path, _extent: Extent) -> Iterator[Round]:
    """G26: a manager that was asked for a list, so that its desk is open, and then for nothing."""

    def one(_turn: int) -> Figures:
        if not LINUX:
            return {}
        with subjects.managing(scratch, "bench") as program, running(_REFERENCE) as reference:
            Editor(program, scratch).sessions()
            reference.read()
            return {"G26": program.rss_mb() / reference.rss_mb()}

    yield one


@contextmanager
def idle(scratch: Path, extent: Extent) -> Iterator[Round]:
    """G26: sessions whose agents have been put to sleep; each round opens some more."""
    more = extent(40, quick=20)
    if not LINUX:
        yield lambda _turn: {}
        return
    with subjects.managing(scratch, "bench", "limits.idle_s=0.1") as program:
        editor, at = Editor(program, scratch), {}
        for before, point in zip((0, *_POINTS), _POINTS[: extent(3, quick=2)], strict=False):
            _sleepers(editor, point - before)
            at[f"idle@{point}"] = program.rss_mb()

        def one(_turn: int) -> Figures:
            memory, fds = program.rss_mb(), descriptors(program.pid)
            _sleepers(editor, more)
            grown = {"G26.session": (program.rss_mb() - memory) * 1024, "G26.fds": descriptors(program.pid) - fds}
            return {key: figure / more for key, figure in grown.items()} | at

        yield one


def _sleepers(editor: Editor, count: int) -> None:
    """Begin so many sessions, and wait until their agents sleep: of the children only the watchdog is left."""
    for begun in range(0, count, _AT_ONCE):
        editor.begin(min(_AT_ONCE, count - begun))
    if not until(lambda: len(tree(editor.program.pid)) <= 2, _ASLEEP_S):
        raise RuntimeError("There are agents that do not go to sleep.")


@contextmanager
def families(scratch: Path, _extent: Extent) -> Iterator[Round]:
    """G29: sessions with MCP servers, behind one manager and directly; both live for all rounds."""
    command, *arguments = subjects.MCP_SERVER
    servers = [
        {"name": f"small{number}", "command": command, "args": arguments, "env": []} for number in range(_SERVERS)
    ]
    if not LINUX:
        yield lambda _turn: {}
        return
    with ExitStack() as stack:
        managed = stack.enter_context(subjects.managing(scratch, "family"))
        Editor(managed, scratch, servers).begin(_SESSIONS)
        agents: list[Program] = []
        for _ in range(_SESSIONS):
            agents.append(stack.enter_context(running(subjects.FAMILY)))
            Editor(agents[-1], scratch, servers).begin(1)

        def one(_turn: int) -> Figures:
            ours, direct = tree(managed.pid), [pid for agent in agents for pid in tree(agent.pid)]
            return {
                "G29.processes": len(ours) / len(direct),
                "G29.memory": memory_mb(ours) / memory_mb(direct),
            }

        yield one


EXPERIMENTS = (
    Experiment("G26", alone),
    Experiment("G26 idle", idle),
    Experiment("G29", families),
)
