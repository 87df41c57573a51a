"""What a rule is about, in two readings: certain enough to allow something, and close enough to forbid it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kiro_core.agentconfig.tools import is_exact, matches
from kiro_core.policy.use import ToolUse

Touch = bool | None
"""Whether something may be meant; None where nobody can tell."""


class Matcher(Protocol):
    """What a rule is about."""

    def covers(self, use: ToolUse) -> bool:
        """Whether all that the use does is certainly meant: what allows has to be."""
        ...

    def touches(self, use: ToolUse) -> Touch:
        """Whether any of what it does may be meant: that is enough for what denies or asks."""
        ...


@dataclass(frozen=True, slots=True)
class Everything:
    """Any use of the tools that the rule is about; with `unknown`, of a tool too that nobody can tell."""

    unknown: bool = False

    def covers(self, use: ToolUse) -> bool:
        """Whether it is known what it is."""
        return use.identified or self.unknown

    def touches(self, use: ToolUse) -> Touch:
        """Yes; of an unidentified use nobody knows whether the rule is about it."""
        return True if use.identified or self.unknown else None


@dataclass(frozen=True, slots=True)
class Tools:
    """Tools by names and patterns as `agentconfig.tools.matches` takes them."""

    patterns: Sequence[str]

    @property
    def exact(self) -> bool:
        """Whether each names one tool."""
        return all(map(is_exact, self.patterns))

    def covers(self, use: ToolUse) -> bool:
        """Whether the tool is known and named."""
        return use.identified and any(matches(pattern, use.tool) for pattern in self.patterns)

    def touches(self, use: ToolUse) -> Touch:
        """The same, or that a tool which nobody knows has such a name."""
        return self.covers(use) if use.identified else any(_hints(pattern, use) for pattern in self.patterns)


def _hints(pattern: str, use: ToolUse) -> bool:
    """Whether an unidentified use shows the name, or all words of `@server/tool`."""
    if pattern == "*" or matches(pattern, use.name):
        return True
    shown = f"{use.name} {use.title}".casefold()
    words = [word for word in re.split(r"[*?/@]+", pattern.casefold()) if word]
    return pattern.startswith("@") and pattern not in ("@builtin", "@mcp") and all(word in shown for word in words)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of several."""

    matchers: Sequence[Matcher]

    def covers(self, use: ToolUse) -> bool:
        """Whether one of them certainly is meant."""
        return any(matcher.covers(use) for matcher in self.matchers)

    def touches(self, use: ToolUse) -> Touch:
        """Whether one of them may be."""
        told = [matcher.touches(use) for matcher in self.matchers]
        return True if any(told) else None if None in told else False


@dataclass(frozen=True, slots=True)
class OfFamily:
    """What is meant of one family, and nothing of any other."""

    family: str
    matcher: Matcher

    def covers(self, use: ToolUse) -> bool:
        """Whether it is of the family and certainly meant."""
        return use.family == self.family and self.matcher.covers(use)

    def touches(self, use: ToolUse) -> Touch:
        """Whether it may be."""
        return False if use.identified and use.family != self.family else self.matcher.touches(use)


@dataclass(frozen=True, slots=True)
class Missing:
    """Tools that a list does not name; of an unidentified one nobody knows, unless there are none at all."""

    tools: Tools

    def covers(self, use: ToolUse) -> bool:
        """Whether it is known and not named."""
        return use.identified and not self.tools.covers(use)

    def touches(self, use: ToolUse) -> Touch:
        """The same."""
        return self.covers(use) or not self.tools.patterns
