"""The same work by another headless client of the protocol: `acpx`, on Node."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import acpx, subjects
from benchmarks.commands import Took, take
from benchmarks.goals import Goal
from benchmarks.host import Editor
from benchmarks.rounds import Experiment, Extent, Figures, Round, rotated

_SHORT = 3
_NAME = "bench"
_TTL_S = "60"
"""How long the process of `acpx` that has the session stays without a prompt, should it not be told to end."""

GOALS = (
    Goal("X1.time", "`run`: one prompt, start to end", "acpx exec", 1.0, 0.5, needs=acpx.NEEDED),
    Goal("X1.cpu", "its CPU, the agent's included", "acpx exec", 1.0, 0.5, needs=acpx.NEEDED),
    Goal("X2.time", "`run`: 10 000 updates as JSON lines", "acpx exec", 1.0, 0.5, needs=acpx.NEEDED),
    Goal("X2.memory", "its memory at most", "acpx exec", 1.0, 0.5, needs=acpx.NEEDED),
    Goal("X3", "`run --session`: answer of an open session", "acpx prompt", 1.0, 0.5, needs=acpx.NEEDED),
)

Ask = Callable[[int], Took]
"""Give a client a prompt for so many updates."""


@contextmanager
def prompts(scratch: Path, extent: Extent) -> Iterator[Round]:
    """X1 to X3: a prompt from the command line, with a short answer, a long one, and to a session open elsewhere."""
    many = extent(10_000, quick=2_000)
    env = subjects.home(scratch)
    ours = [subjects.PRODUCT, "run"]
    theirs = [*acpx.command(), "--agent", shlex.join(subjects.agent()), "--ttl", _TTL_S]

    def asking(*argv: str) -> Ask:
        return lambda updates: take([*argv, str(updates)], scratch, env, words=subjects.SAID, times=updates)

    with _open(scratch) as session, _theirs_open(theirs, scratch, env):
        new = [*ours, "--engine", "bench"]
        exec_ = {"run": asking(*new), "acpx": asking(*theirs, "exec")}
        lines = {
            "run": asking(*new, "--output", "stream-json"),
            "acpx": asking(*theirs, "--format", "json", "exec"),
        }
        joined = {
            "run": asking(*ours, "--session", session),
            "acpx": asking(*theirs, "prompt", "--session", _NAME),
        }

        def one(turn: int) -> Figures:
            short = rotated(exec_, turn, lambda ask: ask(_SHORT))
            if not turn:
                return {}  # files are in memory now: the rest needs no round to warm up
            long = rotated(lines, turn, lambda ask: ask(many))
            answered = rotated(joined, turn, lambda ask: ask(_SHORT))
            return {
                "X1.time": short["run"].whole_s / short["acpx"].whole_s,
                "X1.cpu": short["run"].cpu_s / short["acpx"].cpu_s,
                "X2.time": long["run"].whole_s / long["acpx"].whole_s,
                "X2.memory": long["run"].memory / long["acpx"].memory,
                "X3": answered["run"].answer_s / answered["acpx"].answer_s,
            }

        yield one


@contextmanager
def _open(scratch: Path) -> Iterator[str]:
    """A session that an editor has open, which the command joins."""
    with subjects.product(scratch) as program:
        yield Editor(program, scratch).begin(1)[0]


@contextmanager
def _theirs_open(theirs: Sequence[str], scratch: Path, env: Mapping[str, str]) -> Iterator[None]:
    """A session by name, which stays in a process of its own from its first prompt on."""
    named = ["--name", _NAME]
    take([*theirs, "sessions", "new", *named], scratch, env, words=b"", times=0)
    try:
        yield
    finally:
        take([*theirs, "sessions", "close", _NAME], scratch, env, words=b"", times=0)


EXPERIMENTS = (Experiment("X1 X2 X3", prompts),)
