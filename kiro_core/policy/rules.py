"""One rule and what it says of one use of a tool: the smallest thing that allows, asks or denies."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from kiro_core.agentconfig.tools import ALIASES, matches
from kiro_core.policy.decision import Effect
from kiro_core.policy.matchers import Matcher, Tools
from kiro_core.policy.use import CAPABILITIES, ToolUse

EVERY_FAMILY = frozenset({*CAPABILITIES.values(), "mcp", ""})
"""All that `ToolUse.family` can be."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`effect` on what is `about`, unless `exclude` has it; `text` is the rule as it is written, `origin` where.

    It holds for uses of the `tools`, or of the `families` where no tools are named. What nobody identified is
    allowed by one with `unknown` only.
    """

    effect: Effect
    origin: str
    text: str
    about: Matcher
    families: Collection[str] = EVERY_FAMILY
    tools: Collection[str] = ()
    exclude: Matcher | None = None
    exact: bool = False
    unknown: bool = False

    def says(self, use: ToolUse) -> Effect | None:
        """The effect on this use, or None; what denies and cannot see enough asks."""
        if self.effect == "allow":
            return "allow" if self._allows(use) else None
        if not self._may_hold(use) or (self.exclude is not None and self.exclude.covers(use)):
            return None
        touched = self.about.touches(use)
        if touched is None:
            return "ask"
        return self.effect if touched else None

    def _allows(self, use: ToolUse) -> bool:
        if not ((use.identified or self.unknown) and self._may_hold(use) and self.about.covers(use)):
            return False
        return self.exclude is None or self.exclude.touches(use) is False

    def _may_hold(self, use: ToolUse) -> bool:
        if not use.identified:
            return True
        return use.tool in self.tools if self.tools else use.family in self.families


def of_tools(effect: Effect, origin: str, field: str, patterns: Iterable[str]) -> list[Rule]:
    """A rule for each name or pattern of tools in a field."""
    rules = []
    for pattern in patterns:
        tools = Tools([pattern])
        rules.append(Rule(effect, origin, f'{field} "{pattern}"', tools, families_of([pattern]), exact=tools.exact))
    return rules


def families_of(patterns: Collection[str]) -> frozenset[str]:
    """The families of the tools that patterns may name."""
    built_in = {CAPABILITIES.get(tool, "") for tool in ALIASES for pattern in patterns if matches(pattern, tool)}
    return frozenset(
        built_in | ({"mcp"} if any(pattern.startswith("@") or pattern == "*" for pattern in patterns) else set())
    )
