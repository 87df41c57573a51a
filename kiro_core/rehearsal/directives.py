"""What a prompt can make the agent do: the one table, from which /help and the documentation are made."""

from __future__ import annotations

from collections.abc import Callable

from kiro_core.rehearsal import faults, mcp, mirror, services, talk, tools, updates
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
    "tool": tools.tool,
    "permission": tools.permission,
    "diff": tools.diff,
    "run": tools.run,
    "run-limit": tools.run_limit,
    "run-kill": tools.run_kill,
    "run-forget": tools.run_forget,
    "mcp": mcp.mcp,
    "read": services.read,
    "write": services.write,
    "ask-form": services.ask_form,
    "ask-url": services.ask_url,
    "request": services.request,
    "notify": services.notify,
    "update": updates.update,
    "updates": updates.updates,
    "after": updates.after,
    "say-later": talk.say_later,
    "say-capabilities": mirror.say_capabilities,
    "say-params": mirror.say_params,
    "say-choices": mirror.say_choices,
    "blocks": mirror.blocks,
    "env": mirror.env,
    "sleep": talk.sleep,
    "stop": talk.stop,
    "error": talk.error,
    "hang": faults.hang,
    "die": faults.die,
    "ignore-term": faults.ignore_term,
    "child": faults.child,
    "flood": faults.flood,
    "big": faults.big,
    "stderr": faults.stderr,
    "raw": faults.raw,
    "batch": faults.batch,
}


def describe(does: Directive) -> str:
    """Its usage and what it does, in one line."""
    return " ".join((does.__doc__ or "").split())
