"""The options that the desk adds to those of an agent: which agent configuration, and which engine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from kiro_core.types import AgentSummary, Engine

AGENT = "agent"
ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a session can be changed to, as of its opening."""

    agents: Sequence[AgentSummary] = ()
    engines: Sequence[Engine] = ()

    def agent_option(self, current: str) -> dict[str, Any]:
        """The option `agent` (ACP "Session Config Options")."""
        values = {summary.name: (summary.name, summary.description) for summary in self.agents}
        return _select(AGENT, "Agent", current, values)

    def engine_option(self, current: str) -> dict[str, Any]:
        """The option `engine`."""
        values = {engine.name: (engine.title or engine.name, "") for engine in self.engines}
        return _select(ENGINE, "Engine", current, values)


def modes_option(modes: Sequence[dict[str, Any]], current: str) -> dict[str, Any]:
    """The option `agent` for an agent program whose modes are agent configurations."""
    values = {str(mode.get("id")): (str(mode.get("name", "")), str(mode.get("description") or "")) for mode in modes}
    return _select(AGENT, "Agent", current, values)


def _select(name: str, title: str, current: str, values: dict[str, tuple[str, str]]) -> dict[str, Any]:
    # The current value is always among them, also when nobody lists it.
    values = {**values, current: values.get(current, (current, ""))}
    options = [
        {"value": value, "name": label or value, **({"description": text} if text else {})}
        for value, (label, text) in values.items()
    ]
    category = f"_{name}"  # of our own: ACP reserves the plain ones
    return {
        "id": name,
        "name": title,
        "category": category,
        "type": "select",
        "currentValue": current,
        "options": options,
    }
