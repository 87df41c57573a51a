"""Compiles what an agent configuration says of tools in its lists of names and in `permissions.rules`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kiro_core.agentconfig.tools import canonical
from kiro_core.policy.capabilities import described, of_capability
from kiro_core.policy.matchers import Missing, Tools
from kiro_core.policy.paths import Place
from kiro_core.policy.rules import Rule, of_tools
from kiro_core.policy.tool_settings import of_settings

AGENT = "agent"
"""The origin of all these rules."""

_CATEGORIES = {"read": ("read", "grep", "glob", "code"), "web": ("web_fetch", "web_search")}
"""Names in `tools` that stand for more than one built-in tool (kiro.dev, Custom agents: categories)."""


def rules_of(fields: Mapping[str, Any], place: Place, also: Sequence[str] = ()) -> list[Rule]:
    """All rules of a configuration that was validated; `also` are tools that are there besides its list `tools`."""
    names = _original(fields.get("toolAliases") or {})
    rules = of_tools("deny", AGENT, "excludedTools", names(fields.get("excludedTools")))
    if "tools" in fields:
        rules += _offered(names(fields["tools"]), also)
    # A bare `*` is no pattern in this list (kiro.dev, Agent configuration): to trust all is a flag.
    allowed = [pattern for pattern in names(fields.get("allowedTools")) if pattern != "*"]
    rules += of_tools("allow", AGENT, "allowedTools", allowed)
    rules += of_settings(fields.get("toolsSettings") or {}, place, AGENT)
    written = fields.get("permissions") or ()
    for raw in written.get("rules") or () if isinstance(written, Mapping) else written:
        from kiro_core.agentconfig.format import PermissionRule  # a model, which most sessions never need

        rule = PermissionRule.model_validate(raw)
        rules.append(of_capability(rule, place, AGENT, described(rule, "permissions")))
    return rules


def _offered(tools: Sequence[str], also: Sequence[str]) -> list[Rule]:
    """No tool but those in the list; nothing where it names all."""
    if "*" in tools:
        return []
    named = [each for name in tools for each in _CATEGORIES.get(canonical(name), (name,))]
    return [Rule("deny", AGENT, "tools", Missing(Tools([*named, *also])))]


def _original(aliases: Mapping[str, str]) -> Callable[[Sequence[str] | str | None], list[str]]:
    """Names of tools as they were before `toolAliases` gave them new ones; a text alone is one name."""
    old = {new: original for original, new in aliases.items()}
    return lambda names: [old.get(name, name) for name in ([names] if isinstance(names, str) else names or ())]
