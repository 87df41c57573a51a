"""Hosts of MCP that have many sessions at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from benchmarks import subjects
from benchmarks.goals import Goal
from benchmarks.host import Chats, Editor, Host
from benchmarks.rounds import Experiment, Extent, Figures, Round, rotated
from benchmarks.running import LINUX

_REPLACED = 5
"""Sessions that end, and as many begin, while all others chat again."""
_TIMES = 2
"""So often in a round."""

GOALS = (
    Goal("H1", "50 chats at once over MCP", "ACP", 4, 2, needs="mcp"),
    Goal("H2", "memory of the MCP server behind more chats", "the first ones", 1.10, 1.03, needs="mcp, Linux"),
)


@contextmanager
def many(scratch: Path, extent: Extent) -> Iterator[Round]:
    """H1, H2: a turn in each of 50 sessions at once while five end, by one `kiro-core mcp serve` and one `acp`."""
    if not subjects.HAS_MCP:
        yield lambda _: {}
        return
    chats = extent(50, quick=20)
    with subjects.product(scratch) as editors, subjects.hosting(scratch) as hosts:
        clients: Mapping[str, Chats] = {"acp": Editor(editors, scratch), "mcp": Host(hosts)}
        talks = {name: _Talk(client, chats) for name, client in clients.items()}
        first = hosts.rss_mb()

        def one(turn: int) -> Figures:
            took = rotated(talks, turn, lambda talk: median(talk.go_on() for _ in range(_TIMES)))
            figures = {"H1": took["mcp"] / took["acp"]}
            return figures | ({"H2": hosts.rss_mb() / first} if LINUX else {})

        yield one


class _Talk:
    """So many sessions of a client, of which the oldest are replaced from time to time."""

    def __init__(self, client: Chats, count: int) -> None:
        """Begin them, and have a turn in each."""
        self._client = client
        self._sessions = client.begin(count)
        client.chat(self._sessions, [])

    def go_on(self) -> float:
        """Seconds for a turn in each, while some end; others take their places, which is not counted."""
        ending, chatting = self._sessions[:_REPLACED], self._sessions[_REPLACED:]
        begins = time.perf_counter()
        self._client.chat(chatting, ending)
        took = time.perf_counter() - begins
        self._sessions = [*chatting, *self._client.begin(_REPLACED)]
        return took


EXPERIMENTS = (Experiment("H1 H2", many),)
