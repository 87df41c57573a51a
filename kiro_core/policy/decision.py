"""What is decided of one use of a tool, and why: the same words for the client, the model and the record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Effect = Literal["allow", "ask", "deny"]

STRICTNESS: Mapping[str, int] = {"allow": 0, "ask": 1, "deny": 2}
"""Deny beats ask beats allow."""


@dataclass(frozen=True, slots=True)
class Decision:
    """`effect` by `rule` (as written where it stands) of `origin`; `reason` is a sentence for whoever is told.

    Origins: "agent" (the configuration), "settings" (the operator's), "flag" (a trust flag), "client" (an earlier
    answer), "mcp" (the entry of an MCP server), "middleware" (whose name is the rule), "desk" (no rule of anybody's).
    """

    effect: Effect
    rule: str
    origin: str
    reason: str

    def recorded(self) -> Mapping[str, Any]:
        """For the record."""
        return {"effect": self.effect, "rule": self.rule, "origin": self.origin, "reason": self.reason}


def stricter(one: Decision, other: Decision) -> Decision:
    """The one that allows less; of equals the first."""
    return other if STRICTNESS[other.effect] > STRICTNESS[one.effect] else one
