"""What a member is told at the beginning of its task: who it is, who asks, and what those before it came to."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiro_core.crew.members.roster import Entry

_BECAME = {
    "succeeded": "has done its task",
    "failed": "has failed",
    "timed_out": "ran out of time",
    "cancelled": "was cancelled",
}


def prompt_of(entry: Entry, parent: str, before: Iterable[Entry], *, has_tools: bool) -> str:
    """The prompt of its task; `before` are those for which it has waited."""
    kept = entry.kept
    role = f", {kept.role}" if kept.role else ""
    parts = [f"You are {kept.name}{role}. {parent or 'Another session'} has given you this task:", kept.task]
    parts += [_said(each) for each in before]
    if has_tools:
        parts.append(
            "When you are done, call the tool `summary` with the result; nothing else of what you say is read."
        )
    return "\n\n".join(parts)


def _said(entry: Entry) -> str:
    became = _BECAME.get(entry.outcome, "was cut off, and nobody knows how far it came")
    if not entry.result:
        return f"{entry.kept.name} {became}."
    return "\n".join(
        [f"{entry.kept.name} {became}; what it said:", *(f"> {line}" for line in entry.result.splitlines())]
    )
