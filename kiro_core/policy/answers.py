"""Earlier answers of a person that hold for always, as JSON for the record and as rules again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from kiro_core.policy.capabilities import of_capability
from kiro_core.policy.decision import Effect
from kiro_core.policy.expressions import regular
from kiro_core.policy.matchers import Matcher, Touch
from kiro_core.policy.paths import Place
from kiro_core.policy.rules import Rule
from kiro_core.policy.subjects import Commands, Paths, worked_on
from kiro_core.policy.use import ToolUse

_EFFECTS: Mapping[str, Effect] = {"allow_always": "allow", "reject_always": "deny"}

_SETTINGS = {"allowedCommands": ("shell",), "allowedPaths": ("read", "write", "grep", "glob")}


def answer_of(use: ToolUse, kind: str, meta: Mapping[str, Any], place: Place) -> Mapping[str, Any]:
    """What is kept of an answer of `kind` (ACP `PermissionOptionKind`) about a use; {} where nothing can be.

    `meta` is the `_meta` of the answer: an agent that offers narrower trust gets back under `trustOption` which was
    chosen (`{setting_key, patterns}`, Kiro 2) or under `kiro.consent` (`{capability, resource, scope}`, Kiro 3).
    """
    effect = _EFFECTS.get(kind)
    if effect is None or (effect == "allow" and not use.identified):
        return {}
    named = {"tool": use.tool} if use.identified else {"name": use.name, "title": use.title}
    if effect == "allow" and (chosen := _chosen(use, meta)):
        return {"effect": effect, **named, **chosen}
    subject = _subject(use, place)
    # Without what it acts on, the answer would hold for more than the person saw.
    return {} if subject == [] else {"effect": effect, **named, **({"on": subject} if subject else {})}


def rule_of(answer: Mapping[str, Any], place: Place) -> Rule:
    """The rule that a kept answer is."""
    effect, patterns = answer["effect"], _texts(answer.get("patterns"))
    text = f"answered {'allow' if effect == 'allow' else 'reject'}_always"
    if patterns and "capability" in answer:
        from kiro_core.agentconfig.format import PermissionRule  # a model, which most sessions never need

        globs = [] if "*" in patterns else patterns
        rule = PermissionRule(capability=answer["capability"], effect=effect, match=globs)
        return of_capability(rule, place, "client", text)
    if patterns:
        commands = answer.get("setting") == "allowedCommands"
        about: Matcher = Commands(regular(patterns)) if commands else Paths.of(patterns, place)
        return Rule(effect, "client", text, about, tools=(answer.get("tool", ""),))
    return Rule(effect, "client", text, Same(answer, place), exact=True)


@dataclass(frozen=True, slots=True)
class Same:
    """The very same use again."""

    answer: Mapping[str, Any]
    place: Place

    def covers(self, use: ToolUse) -> bool:
        """Whether the tool is that of the answer, and what it acts on too."""
        return self._is_tool(use) and self.answer.get("on") == _subject(use, self.place)

    def touches(self, use: ToolUse) -> Touch:
        """The same."""
        return self.covers(use)

    def _is_tool(self, use: ToolUse) -> bool:
        if "tool" in self.answer:
            return use.identified and use.tool == self.answer["tool"]
        return (use.tool, use.name, use.title) == ("", self.answer.get("name"), self.answer.get("title"))


def _subject(use: ToolUse, place: Place) -> list[str] | None:
    """What a use acts on: empty where it should be known and is not, None where the tool alone counts."""
    match use.family if use.identified else "":
        case "fs_read" | "fs_write":
            return sorted({place.real(path) for path in worked_on(use, place)})
        case "shell":
            return [use.command] if use.command and not use.env else []
        case "web_fetch":
            return sorted(use.urls)
    return None


def _chosen(use: ToolUse, meta: Mapping[str, Any]) -> Mapping[str, Any]:
    option, kiro = meta.get("trustOption"), meta.get("kiro")
    if isinstance(option, Mapping) and use.tool in _SETTINGS.get(str(option.get("setting_key")), ()):
        patterns = _texts(option.get("patterns"))
        return {"setting": option["setting_key"], "patterns": patterns} if patterns else {}
    consent = kiro.get("consent") if isinstance(kiro, Mapping) else None
    if (
        not isinstance(consent, Mapping)
        or consent.get("scope") == "invocation"
        or consent.get("capability") != use.family
    ):
        return {}
    patterns = _texts([consent.get("resource")])
    return {"capability": use.family, "patterns": patterns} if patterns else {}


def _texts(value: Any) -> list[str]:
    return [text for text in value if isinstance(text, str) and text] if isinstance(value, list) else []
