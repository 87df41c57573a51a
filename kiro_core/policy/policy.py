"""One object decides for a session, its children and its headless runs, so that all of them get the same answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kiro_core.policy.answers import answer_of, rule_of
from kiro_core.policy.decision import STRICTNESS, Decision, Effect, stricter
from kiro_core.policy.matchers import Missing
from kiro_core.policy.paths import Place
from kiro_core.policy.rules import Rule
from kiro_core.policy.use import CAPABILITIES, ToolUse
from kiro_core.types import Engine

CREW = "crew"
"""The origin of the rule that allows the tools of a crew: they do nothing but what is asked about elsewhere."""

_SPEAKERS: Mapping[str, str] = {
    "agent": "The agent configuration",
    "settings": "The operator",
    "flag": "A flag",
    "client": "An earlier answer",
    "mcp": "The entry of the MCP server",
    CREW: "The desk",
}

_VERBS: Mapping[Effect, str] = {"allow": "allows it", "ask": "wants it asked", "deny": "denies it"}


Parent = Callable[[], "Policy | None"]
"""Looks the policy of the session above up, which may get another one at any time; also called in worker threads."""


class Policy:
    """Allows, asks or denies each use of a tool: deny beats ask beats allow, and what nobody names is asked.

    It looks at symbolic links, so on a slow file system call `decide` in a worker thread.
    """

    def __init__(self, rules: Sequence[Rule], place: Place, parent: Parent = lambda: None) -> None:
        """Of `rules` in the order in which they are named to people; never wider than `parent` is at that time."""
        self._rules = list(rules)
        self._place = place
        self._parent = parent

    @property
    def above(self) -> Sequence[Policy]:
        """The policies of the sessions above this one as they are now, the nearest first."""
        found: list[Policy] = []
        policy = self._parent()
        # Whoever keeps records may have made a session its own ancestor.
        while policy is not None and policy is not self and policy not in found:
            found.append(policy)
            policy = policy._parent()  # noqa: SLF001 - of the same class
        return found

    def decide(self, use: ToolUse) -> Decision:
        """What becomes of a use, by which rule and why.

        The tools of a crew are there for the sessions below, so one above has no say in them that does not name them.
        """
        decision = own = self._own(use)
        for policy in self.above:
            if own.origin == CREW and not policy._names(use):  # noqa: SLF001 - of the same class
                continue
            theirs = policy._own(use)  # noqa: SLF001 - of the same class
            decision = stricter(decision, replace(theirs, reason=f"The session above says: {theirs.reason}"))
        return decision

    def remember(self, use: ToolUse, kind: str, meta: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the record keeps of an answer for always; {} where it holds for this once only.

        `kind` is "allow_always" or "reject_always" (any other keeps nothing), `meta` the `_meta` of the answer,
        which may narrow it. It holds from `learn` on, or as one of `answers` when the session comes back.
        """
        return answer_of(use, kind, meta, self._place)

    def learn(self, answer: Mapping[str, Any]) -> None:
        """Let an answer that `remember` made hold from now on; policies below this one obey it too."""
        if answer:
            self._rules.append(rule_of(answer, self._place))

    @property
    def guards(self) -> Sequence[str]:
        """The rules that deny something, as they are written; those of the sessions above too."""
        return [rule.text for rule in self._all() if rule.effect == "deny"]

    def unheard(self, engine: Engine) -> Sequence[str]:
        """The rules that deny or ask and that an engine may pass by, since it does not ask before all that it does.

        One with a `guard`, which has to be started with it where `guards` has anything, then asks about everything.
        """
        if engine.guard and self.guards:
            return []
        unasked = frozenset(engine.unasked) if engine.asks else {*CAPABILITIES.values(), "mcp", ""}
        return [rule.text for rule in self._all() if rule.effect != "allow" and _concerns(rule, unasked)]

    def recorded(self) -> Mapping[str, Any]:
        """For the record: every rule with its origin; `inherits` tells that there is a parent's policy besides."""
        rules = [{"effect": rule.effect, "rule": rule.text, "origin": rule.origin} for rule in self._rules]
        return {"rules": rules, "inherits": bool(self.above)}

    def _names(self, use: ToolUse) -> bool:
        return any(rule.says(use) is not None for rule in self._rules if not isinstance(rule.about, Missing))

    def _all(self) -> list[Rule]:
        return [rule for policy in (self, *self.above) for rule in policy._rules]  # noqa: SLF001 - of the same class

    def _own(self, use: ToolUse) -> Decision:
        found = [(effect, rule) for rule in self._rules if (effect := rule.says(use)) is not None]
        if not found:
            return _unsaid(use)
        effect, rule = max(found, key=lambda each: (STRICTNESS[each[0]], each[1].exact))
        if effect == "ask" and not use.identified:
            return _unsaid(use)
        return Decision(effect, rule.text, rule.origin, _reason(effect, rule))


def _unsaid(use: ToolUse) -> Decision:
    known = "No rule says anything about it." if use.identified else "Nobody knows which tool this is."
    return Decision("ask", "", "desk", known)


def _reason(effect: Effect, rule: Rule) -> str:
    if rule.origin == "desk":
        return "Files in the folders of the session may be read."
    if effect != rule.effect:
        return f"Not enough can be seen of it for: {rule.text}."
    return f"{_SPEAKERS[rule.origin]} {_VERBS[effect]}: {rule.text}."


def _concerns(rule: Rule, unasked: frozenset[str] | set[str]) -> bool:
    if "mcp" in unasked and "mcp" in rule.families and not rule.tools:
        return True
    return any(rule.says(ToolUse(tool)) for tool, family in CAPABILITIES.items() if family in unasked)
