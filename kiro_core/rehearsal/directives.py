"""What a prompt can make the agent do: the one table, from which /help and the documentation are made."""

from __future__ import annotations

from collections.abc import Callable

from kiro_core.rehearsal import faults, talk
from kiro_core.rehearsal.turn import Turn

Directive = Callable[[Turn, str], None]
"""Given the turn and the rest of its line; `ValueError` means that it cannot take the rest."""


def show_help(turn: Turn, _: str) -> None:
    """`/help`: list the directives."""
    turn.stream("This is the rehearsal agent. It repeats what it is told, except for these, one a line:\n")
    for does in DIRECTIVES.values():
        turn.stream(f"- {describe(does)}\n")


DIRECTIVES: dict[str, Directive] = {
    "help": show_help,
    "echo": talk.echo,
    "thought": talk.thought,
    "plan": talk.plan,
    "tool": talk.tool,
    "permission": talk.permission,
    "sleep": talk.sleep,
    "say-later": talk.say_later,
    "stop": talk.stop,
    "error": talk.error,
    "env": talk.env,
    "hang": faults.hang,
    "die": faults.die,
    "ignore-term": faults.ignore_term,
    "flood": faults.flood,
    "big": faults.big,
    "stderr": faults.stderr,
    "raw": faults.raw,
}


def describe(does: Directive) -> str:
    """Its usage and what it does, in one line."""
    return " ".join((does.__doc__ or "").split())
