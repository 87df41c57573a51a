"""Compiles `toolsSettings`: which paths, commands, addresses, services and agents a built-in tool may use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from kiro_core.policy import expressions
from kiro_core.policy.decision import Effect
from kiro_core.policy.expressions import globs, regular
from kiro_core.policy.matchers import AnyOf, Everything, Matcher
from kiro_core.policy.paths import Place
from kiro_core.policy.rules import Rule
from kiro_core.policy.subjects import Commands, Paths, ReadOnly, Texts

_READ_OPERATIONS = regular([r"(?:get|describe|list|search|batch[-_]get|ls)(?:[-_ ].*)?"])


@dataclass(frozen=True, slots=True)
class _Tool:
    """The settings of one tool, and how its rules are written; `allowing` are those of which a rule may allow."""

    name: str
    settings: Mapping[str, Any]
    place: Place
    origin: str
    allowing: Mapping[str, Any]

    def texts(self, key: str) -> list[str]:
        return [text for text in self.settings.get(key) or () if isinstance(text, str)]

    def allows(self, key: str) -> bool:
        return self.allowing.get(key) is True

    def rule(self, effect: Effect, key: str, about: Matcher, written: str = "", **more: Any) -> Iterator[Rule]:
        text = f"toolsSettings.{self.name}.{key}" + (f' "{written}"' if written else "")
        if effect != "allow" or key in self.allowing:
            yield Rule(effect, self.origin, text, about, **({"tools": (self.name,)} | more))

    def each(self, effect: Effect, key: str, matcher: Callable[[str], Matcher], **more: Any) -> Iterator[Rule]:
        for text in self.texts(key):
            exact = not any(sign in text for sign in r"*?[{\.+(|")
            yield from self.rule(effect, key, matcher(text), text, exact=exact, **more)


def of_settings(settings: Mapping[str, Any], place: Place, origin: str) -> list[Rule]:
    """The rules of all tools; the tables of one tool under several names are one table."""
    if not settings:
        return []
    from kiro_core.agentconfig.toolsettings import allowing, tables  # models, which most sessions never need

    tools = [_Tool(name, table, place, origin, allowing(name, table)) for name, table in tables(settings).items()]
    return [rule for tool in tools for rule in _RULES.get(tool.name, _none)(tool)]


def _none(_: _Tool) -> Iterator[Rule]:
    yield from ()


def _of_paths(tool: _Tool) -> Iterator[Rule]:
    def paths(glob: str) -> Matcher:
        return Paths.of([glob], tool.place)

    # What may not be read with one tool may not be read with another: `read` denies for all that read.
    denied = {"tools": (), "families": ("fs_read",)} if tool.name == "read" else {}
    yield from tool.each("deny", "deniedPaths", paths, **denied)
    if tool.texts("allowedPaths"):
        # All at once: each path of a call may be covered by another of them.
        patterns = tool.texts("allowedPaths")
        yield from tool.rule("allow", "allowedPaths", Paths.of(patterns, tool.place), " ".join(patterns))
    if tool.allows("allowReadOnly"):
        yield from tool.rule("allow", "allowReadOnly", Everything())


def _of_shell(tool: _Tool) -> Iterator[Rule]:
    yield from tool.each("deny", "deniedCommands", lambda text: Commands(regular([text], denying=True)))
    yield from tool.each("allow", "allowedCommands", lambda text: Commands(regular([text])))
    reading = [ReadOnly()] if tool.allows("autoAllowReadonly") else []
    if reading:
        yield from tool.rule("allow", "autoAllowReadonly", reading[0])
    if tool.settings.get("denyByDefault") is True:
        allowed = AnyOf([Commands(regular(tool.texts("allowedCommands"))), *reading])
        yield from tool.rule("deny", "denyByDefault", Everything(), exclude=allowed)


def _of_aws(tool: _Tool) -> Iterator[Rule]:
    def services(name: str) -> Matcher:
        return Texts(globs([name]), expressions.services_of)

    yield from tool.each("deny", "deniedServices", services)
    yield from tool.each("allow", "allowedServices", services)
    if tool.allows("autoAllowReadonly"):
        yield from tool.rule("allow", "autoAllowReadonly", Texts(_READ_OPERATIONS, expressions.operations_of))


def _of_agents(tool: _Tool) -> Iterator[Rule]:
    available: Sequence[str] = tool.texts("availableAgents")
    if available:
        named = Texts(globs(available), expressions.agents_of)
        yield from tool.rule("deny", "availableAgents", Everything(), " ".join(available), exclude=named)
    if trusted := tool.texts("trustedAgents"):
        yield from tool.rule("allow", "trustedAgents", Texts(globs(trusted), expressions.agents_of), " ".join(trusted))


def _of_addresses(tool: _Tool) -> Iterator[Rule]:
    def blocked(text: str) -> Matcher:
        return Texts(regular([text], denying=True, anywhere=True), expressions.addresses_of)

    yield from tool.each("deny", "blocked", blocked)
    yield from tool.each("allow", "trusted", lambda text: Texts(regular([text]), expressions.whole_addresses_of))


_RULES: Mapping[str, Callable[[_Tool], Iterator[Rule]]] = {
    "read": _of_paths,
    "write": _of_paths,
    "grep": _of_paths,
    "glob": _of_paths,
    "shell": _of_shell,
    "use_aws": _of_aws,
    "subagent": _of_agents,
    "web_fetch": _of_addresses,
}
