"""Compiles `permissions.rules` (kiro.dev, Permissions), which a configuration and the operator write alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from kiro_core.policy import expressions
from kiro_core.policy.decision import Effect
from kiro_core.policy.matchers import AnyOf, Everything, Matcher, OfFamily, Tools
from kiro_core.policy.paths import Place
from kiro_core.policy.rules import EVERY_FAMILY, Rule
from kiro_core.policy.subjects import Commands, Paths, Texts


class PermissionRule(Protocol):
    """What a rule of a configuration and one of the settings have in common."""

    @property
    def capability(self) -> str:
        """One of "fs_read", "fs_write", "shell", "web_fetch", "web_search", "mcp", "subagent", or of `_GROUPS`."""
        ...

    @property
    def match(self) -> Sequence[str]:
        """Globs; without any, all of the capability is meant."""
        ...

    @property
    def effect(self) -> Effect:
        """What becomes of it."""
        ...

    @property
    def exclude(self) -> Sequence[str]:
        """Globs of what is not meant."""
        ...


def of_capability(rule: PermissionRule, place: Place, origin: str, text: str) -> Rule:
    """The rule; `text` names it for people."""
    return Rule(
        rule.effect,
        origin,
        text,
        _matcher(rule.capability, rule.match, place)
        if rule.match
        else Everything(unknown=rule.capability == "all" and rule.effect != "allow"),
        _GROUPS.get(rule.capability, frozenset({rule.capability})),
        exclude=_matcher(rule.capability, rule.exclude, place) if rule.exclude else None,
        exact=bool(rule.match) and not any(sign in glob for glob in rule.match for sign in "*?[{"),
    )


def described(rule: PermissionRule, field: str) -> str:
    """The rule as a person would find it again."""
    globs = " ".join(f'"{glob}"' for glob in rule.match)
    but = " ".join(f'"{glob}"' for glob in rule.exclude)
    return f"{field} {rule.effect} {rule.capability}" + (f" {globs}" if globs else "") + (f" but {but}" if but else "")


def _matcher(capability: str, globs: Sequence[str], place: Place) -> Matcher:
    match capability:
        case "fs_read" | "fs_write" | "filesystem":
            return Paths.of(globs, place, below=False)
        case "shell":
            return Commands(expressions.globs(globs))
        case "mcp":
            return Tools([f"@{glob.removeprefix('@')}" for glob in globs])
        case "web_fetch" | "web_search" | "subagent":
            return Texts(expressions.globs(globs), _FORMS[capability])
    single = ("fs_read", "fs_write", "shell", "mcp", *_FORMS)
    return AnyOf([OfFamily(each, _matcher(each, globs, place)) for each in single if each in _GROUPS[capability]])


_GROUPS = {
    "all": EVERY_FAMILY,
    "builtin": EVERY_FAMILY - {"mcp"},
    "filesystem": frozenset({"fs_read", "fs_write"}),
}
"""Capabilities that stand for several (kiro.dev, Permissions)."""

_FORMS = {
    "web_fetch": expressions.addresses_of,
    "web_search": expressions.searches_of,
    "subagent": expressions.agents_of,
}
