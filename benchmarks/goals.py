"""The goals: what is promised, in figures that carry over from machine to machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Goal:
    """One promise: `must` and `stretch` are ratios to `baseline`, or `unit` where there is none.

    `key` is the goal's number, with what tells two figures of one goal apart; `needs` says what has
    to be there to measure it.
    """

    key: str
    what: str
    baseline: str
    must: float
    stretch: float
    at_least: bool = False
    unit: str = ""
    needs: str = ""

    @property
    def number(self) -> str:
        """`G3` of `G3.on`."""
        return self.key.partition(".")[0]

    def verdict(self, measured: Sequence[float]) -> str:
        """`stretch`, `met` or `missed`, by the median; `skipped` when nothing was measured."""
        if not measured:
            return "skipped"
        figure = median(measured)
        for bound, word in ((self.stretch, "stretch"), (self.must, "met")):
            if figure >= bound if self.at_least else figure <= bound:
                return word
        return "missed"


GOALS = (
    Goal("G1", "updates a second, log off", "raw", 0.70, 0.90, at_least=True),
    Goal("G2", "updates a second, log on", "raw", 0.40, 0.55, at_least=True),
    Goal("G3.off", "CPU an update, log off", "raw", 2.8, 2.0, needs="Linux"),
    Goal("G3.on", "CPU an update, log on", "raw", 4.0, 3.0, needs="Linux"),
    Goal("G6.direct", "round trip of one message, log on", "direct", 10, 6),
    Goal("G6.sdk", "round trip of one message, log on", "SDK proxy", 0.5, 0.25, needs="agent-client-protocol"),
    Goal("G9", "memory growth, editor stalled 3 s in a flood", "", 8, 2, unit="MiB", needs="Linux"),
    Goal("G19", "from spawn to the answer of initialize", "R", 0.50, 0.35),
    Goal("G20", "a call of an MCP tool", "hand", 4, 2.5, needs="mcp"),
    Goal("G29", "50 chats at once over MCP", "ACP", 4, 2, needs="mcp"),
    Goal("G30", "memory of the MCP server", "a tenth of the chats", 1.10, 1.03, needs="mcp, Linux"),
)
