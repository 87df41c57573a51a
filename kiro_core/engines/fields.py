"""Says of each field of an agent configuration how it reaches an engine, so that nothing is lost in silence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kiro_core.types import AgentConfig, Engine

_PERMISSIONS = ("allowedTools", "excludedTools", "tools", "toolsSettings", "permissions")

_APPLIED: Mapping[str, str] = {
    "prompt": "It stands in front of the first prompt.",
    "resources": "Files and the list of skills stand in front of the first prompt; knowledge bases are not served.",
    "model": "It is set as the engine's option, where the engine has that model.",
    "mcpServers": "They are named when the session is opened.",
    "includeMcpJson": "Its servers are named when the session is opened.",
    **dict.fromkeys(_PERMISSIONS, "They are applied when the engine asks."),
    "hooks": "The desk runs them.",
    "hooks.preToolUse": "They run when the engine asks, before a person is asked.",
    "hooks.postToolUse": "They run when the engine tells that a tool has ended.",
    "welcomeMessage": "The desk tells it when the agent is chosen.",
}

_IMPOSSIBLE: Mapping[str, str] = {
    "toolAliases": "The engine names its tools itself; permissions understand the aliases.",
    "includePowers": "Powers are Kiro's own.",
    "keyboardShortcut": "The keyboard belongs to the client.",
    "toolSchema": "No agent is offered to another one as a tool.",
}

_NEED_QUESTIONS = frozenset({*_PERMISSIONS, "hooks.preToolUse"})


@dataclass(frozen=True, slots=True)
class FieldWay:
    """`way` is how: by the engine itself, by the desk, or not at all; `reason` is a sentence."""

    way: Literal["native", "applied", "cannot"]
    reason: str


def field_ways(engine: Engine, *, natively: bool = True) -> Mapping[str, FieldWay]:
    """How each field reaches the engine; `hooks` also by trigger where that differs.

    With `natively` False the configuration is not handed over to an engine that could read it.
    """
    return {name: _way(name, engine, natively=natively) for name in (*_APPLIED, *_IMPOSSIBLE)}


def unapplied(config: AgentConfig, engine: Engine, *, natively: bool) -> Sequence[str]:
    """What a configuration says and this engine cannot be made to do, each as `FIELD: REASON.`, for one notice.

    `natively` is as in `field_ways`.
    """
    ways = field_ways(engine, natively=natively)
    fields = {**config.fields, "prompt": config.prompt, "model": config.model}
    said = [name for field, value in fields.items() for name in _said(field, value)]
    told = [name if name in ways else name.partition(".")[0] for name in said]
    return [
        f"{name}: {ways[name].reason}" for name in dict.fromkeys(told) if name in ways and ways[name].way == "cannot"
    ]


def _said(field: str, value: Any) -> Iterator[str]:
    """The names under which a value has ways; none where it asks for nothing. An empty `tools` forbids all."""
    asks = value is not None and "*" not in value if field == "tools" else bool(value)
    if asks and field == "hooks" and isinstance(value, Mapping):
        yield from (f"{field}.{event}" for event, entries in value.items() if entries)
    elif asks:
        yield field


def _way(name: str, engine: Engine, *, natively: bool) -> FieldWay:
    field, title = name.partition(".")[0], engine.title or engine.name
    if natively and field in engine.honours:
        return FieldWay("native", f"{title} reads it itself.")
    if field in engine.lacks:
        return FieldWay("cannot", f"{title} takes none.")
    if field in _IMPOSSIBLE:
        return FieldWay("cannot", _IMPOSSIBLE[field])
    return _asked(name, engine, title) if name in _NEED_QUESTIONS else FieldWay("applied", _APPLIED[name])


def _asked(name: str, engine: Engine, title: str) -> FieldWay:
    """What can only be applied when the engine asks."""
    if not engine.asks:
        return FieldWay("cannot", f"{title} does not ask before it uses a tool.")
    if engine.guard:
        more = f" Where something is forbidden, {title} is told to ask about everything."
    elif engine.unasked:
        more = f" Some of this it does without asking: {', '.join(engine.unasked)}."
    else:
        more = ""
    return FieldWay("applied", _APPLIED[name] + more)
