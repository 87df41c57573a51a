"""The experiments with hosts of MCP: many sessions at once, and one call after the other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from statistics import median

from benchmarks import subjects
from benchmarks.experiments import Figures, Round, Sizes, rotated
from benchmarks.host import Chats, Editor, Host
from benchmarks.running import LINUX

_REPLACED = 5
"""Sessions that end, and as many begin, while all others chat again."""
_MORE = 9


@contextmanager
def calls(scratch: Path, sizes: Sizes) -> Iterator[Round]:
    """G20: a call that needs no agent, nothing else on its way."""
    with ExitStack() as stack:
        hosts = {"hand": Host(stack.enter_context(subjects.hand()))}
        if subjects.HAS_MCP:
            hosts["product"] = Host(stack.enter_context(subjects.hosting(scratch)))

        def one(turn: int) -> Figures:
            took = rotated(hosts, turn, lambda host: median(_call(host) for _ in range(sizes.pings)))
            return {"G20": took["product"] / took["hand"]} if subjects.HAS_MCP else {}

        yield one


def _call(host: Host) -> float:
    begins = time.perf_counter()
    host.call([("kiro_session_list", {})])
    return time.perf_counter() - begins


@contextmanager
def many(scratch: Path, sizes: Sizes) -> Iterator[Round]:
    """G29, G30: a turn in each of many sessions at once, some of which end and begin meanwhile."""
    starts: Mapping[str, Callable[[], AbstractContextManager[Chats]]] = {
        "acp": lambda: _editor(scratch),
        "mcp": lambda: _host(scratch),
    }

    def one(turn: int) -> Figures:
        if not subjects.HAS_MCP:
            return {}
        took = rotated(starts, turn, lambda start: _chats(start, sizes.chats))
        figures = {"G29": took["mcp"][0] / took["acp"][0]}
        return figures | ({"G30": took["mcp"][1]} if LINUX else {})

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


EXPERIMENTS: Mapping[str, Callable[[Path, Sizes], AbstractContextManager[Round]]] = {"G20": calls, "G29 G30": many}
"""By the numbers of the goals that they measure."""
