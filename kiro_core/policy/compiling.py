"""Puts together all who have a say in what an agent may do: configuration, operator, flags, MCP entries, answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kiro_core.policy.answers import rule_of
from kiro_core.policy.capabilities import PermissionRule, described, of_capability
from kiro_core.policy.configured import rules_of
from kiro_core.policy.decision import Effect
from kiro_core.policy.matchers import Everything
from kiro_core.policy.paths import Place
from kiro_core.policy.policy import CREW, Parent, Policy
from kiro_core.policy.rules import Rule, of_tools
from kiro_core.policy.subjects import Inside
from kiro_core.types import AgentConfig


def compile_policy(  # noqa: PLR0913 - one keyword for each place where something is said
    config: AgentConfig,
    *,
    cwd: str,
    roots: Sequence[str] = (),
    home: Path | None = None,
    trust_all: bool = False,
    trust_tools: Sequence[str] | None = None,
    operator: Sequence[PermissionRule] = (),
    servers: Mapping[str, tuple[Sequence[str], Sequence[str]]] | None = None,
    also: Sequence[str] = (),
    crew: str = "",
    answers: Sequence[Mapping[str, Any]] = (),
    parent: Policy | Parent | None = None,
) -> Policy:
    """The policy of a session with this configuration, which has to be valid, in the folder `cwd`.

    `roots` are its other folders. `trust_all` and `trust_tools` are the flags (None: not given; a list trusts its
    tools and takes all other allowance of the configuration away). `operator` are the rules of the settings,
    `servers` has by name which tools of an MCP server are disabled and which approved ("*": all), `also` are
    patterns of tools that are there besides the configuration's list `tools` (`@server` for a client's servers),
    `crew` names the desk's own server with the tools of a crew, whose use needs no question, and `answers` is what
    `Policy.remember` made. A session with a `parent`, which may be looked up anew each time, is never
    wider than that.
    """
    place = Place(cwd, tuple(roots), home or Path.home())
    rules = rules_of(config.fields, place, also)
    rules += [
        rule for name, (disabled, approved) in (servers or {}).items() for rule in _of_server(name, disabled, approved)
    ]
    rules.append(Rule("allow", "desk", "reading inside", Inside(place), families=("fs_read",)))
    if trust_tools is not None:
        rules = [rule for rule in rules if rule.effect != "allow"]
        rules += of_tools("allow", "flag", "--trust-tools", [name for name in trust_tools if name != "*"])
    # Behind the flags: no allowance of the configuration, and without it no child could tell its result.
    rules += of_tools("allow", CREW, "the desk's own server", [f"@{crew}"] if crew else ())
    rules += [of_capability(rule, place, "settings", described(rule, "permissions")) for rule in operator]
    rules += [rule_of(answer, place) for answer in answers]
    if trust_all:
        # What the parent denies, its own policy does not allow to an unknown tool either.
        denies = any(rule.effect == "deny" for rule in rules)
        rules.append(Rule("allow", "flag", "--trust-all-tools", Everything(unknown=True), unknown=not denies))
    return Policy(rules, place, parent if callable(parent) else lambda: parent)


def _of_server(name: str, disabled: Sequence[str], approved: Sequence[str]) -> Iterator[Rule]:
    """The rules of `disabledTools` and `autoApprove` of one entry of `mcpServers`."""
    said: Mapping[tuple[Effect, str], Sequence[str]] = {
        ("deny", "disabledTools"): disabled,
        ("allow", "autoApprove"): approved,
    }
    for (effect, field), tools in said.items():
        patterns = [f"@{name}" if tool == "*" else f"@{name}/{tool}" for tool in tools]
        yield from of_tools(effect, "mcp", f"mcpServers.{name}.{field}", patterns)
