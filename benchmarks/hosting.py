"""Hosts of MCP that have many sessions at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from statistics import median

from benchmarks import subjects
from benchmarks.goals import Goal
from benchmarks.host import Chats, Editor, Host
from benchmarks.rounds import Experiment, Extent, Figures, Round, rotated
from benchmarks.running import LINUX

_REPLACED = 5
"""Sessions that end, and as many begin, while all others chat again."""
_MORE = 9

GOALS = (
    Goal("H1", "50 chats at once over MCP", "ACP", 4, 2, needs="mcp"),
    Goal("H2", "memory of the MCP server", "a tenth of the chats", 1.10, 1.03, needs="mcp, Linux"),
)


@contextmanager
def many(scratch: Path, extent: Extent) -> Iterator[Round]:
    """H1, H2: a turn in each of many sessions at once, some of which end and begin meanwhile."""
    chats = extent(50, quick=20)
    starts: Mapping[str, Callable[[], AbstractContextManager[Chats]]] = {
        "acp": lambda: _editor(scratch),
        "mcp": lambda: _host(scratch),
    }

    def one(turn: int) -> Figures:
        if not subjects.HAS_MCP:
            return {}
        took = rotated(starts, turn, lambda start: _chats(start, chats))
        figures = {"H1": took["mcp"][0] / took["acp"][0]}
        return figures | ({"H2": took["mcp"][1]} if LINUX else {})

    yield one


@contextmanager
def _editor(scratch: Path) -> Iterator[Chats]:
    with subjects.product(scratch) as program:
        yield Editor(program, scratch)


@contextmanager
def _host(scratch: Path) -> Iterator[Chats]:
    with subjects.hosting(scratch) as program:
        yield Host(program)


def _chats(start: Callable[[], AbstractContextManager[Chats]], count: int) -> tuple[float, float]:
    """Seconds for a turn in each session, the median; and memory behind ten of them to that behind one."""
    with start() as client:
        sessions = client.begin(count)
        client.chat(sessions, [])
        before, took = client.program.rss_mb(), []
        for _ in range(_MORE):
            ending, chatting = sessions[:_REPLACED], sessions[_REPLACED:]
            begins = time.perf_counter()
            client.chat(chatting, ending)
            took.append(time.perf_counter() - begins)
            sessions = [*chatting, *client.begin(_REPLACED)]
        return median(took), client.program.rss_mb() / before if before else 0.0


EXPERIMENTS = (Experiment("H1 H2", many),)
