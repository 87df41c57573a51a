"""Read a prompt: which of its lines are directives, and how its turn ends."""

from __future__ import annotations

import itertools
from typing import Any

from kiro_core.rehearsal.directives import DIRECTIVES, describe
from kiro_core.rehearsal.turn import Cancelled, Stopped, Turn, Unserved
from kiro_core.rehearsal.wire import Fault


def run(turn: Turn) -> dict[str, Any]:
    """Answer the prompt; the result of `session/prompt`.

    Raises:
        Fault: a directive asked for an error, or was given what it cannot take.

    """
    turn.session.remember(_heard(turn))
    try:
        _obey(turn)
        turn.profile.ending(turn)
    except Cancelled:
        return turn.result("cancelled")
    except Stopped as stopped:
        return turn.result(str(stopped))
    return turn.result("end_turn")


def _heard(turn: Turn) -> dict[str, Any]:
    return {"sessionUpdate": "user_message_chunk", "content": {"type": "text", "text": turn.text}}


def _obey(turn: Turn) -> None:
    """Go through the lines in their order; plain ones that stand together are repeated together."""
    lines = [line for line in turn.text.split("\n") if line.strip()]
    for name, group in itertools.groupby(lines or [""], _directive):
        if name is None:
            turn.stream("This is the rehearsal agent, which repeats what it is told: " + "\n".join(group))
            continue
        for line in group:
            _run(turn, name, line.lstrip().partition(" ")[2])


def _directive(line: str) -> str | None:
    word = line.strip().partition(" ")[0]
    return word[1:] if word.startswith("/") and word[1:] in DIRECTIVES else None


def _run(turn: Turn, name: str, rest: str) -> None:
    does = DIRECTIVES[name]
    try:
        does(turn, rest)
    except Unserved as refusal:
        turn.say(f"{refusal} ")
    except ValueError as error:
        raise Fault(-32602, f"/{name} cannot take {rest!r}. {describe(does)}") from error
