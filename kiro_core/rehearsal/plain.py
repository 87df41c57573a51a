"""How an agent does what every agent does, as long as its kind does not say otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kiro_core.rehearsal.wire import Fault

if TYPE_CHECKING:
    from kiro_core.rehearsal.answers import Method
    from kiro_core.rehearsal.session import Session
    from kiro_core.rehearsal.sessions import Sessions
    from kiro_core.rehearsal.turn import Turn

Json = Mapping[str, Any]


def announce(turn: Turn, call: dict[str, Any]) -> None:
    """Tell that a tool is to run."""
    turn.update({"sessionUpdate": "tool_call", **call, "status": "pending"})


def finish(turn: Turn, call: dict[str, Any], status: str) -> None:
    """Tell how a tool has ended."""
    turn.update({"sessionUpdate": "tool_call_update", "toolCallId": call["toolCallId"], "status": status})


def commands(session: Session) -> dict[str, Any]:
    """The update that lists the commands of the session's agent."""
    listed = [{"name": name, "description": text} for name, text in session.profile.commands.items()]
    return {"sessionUpdate": "available_commands_update", "availableCommands": listed}


def opened(session: Session, _: Mapping[str, str]) -> list[tuple[str, Json]]:
    """List the commands, if there are any, when a session is open."""
    told = [commands(session)] if session.profile.commands else []
    return [("session/update", {"sessionId": session.id, "update": update}) for update in told]


def late(session: Session) -> list[dict[str, Any]]:
    """Title, usage and commands, as some agents tell them when their answer is already out."""
    return [
        {"sessionUpdate": "session_info_update", "title": session.title, "updatedAt": session.updated},
        {"sessionUpdate": "usage_update", "used": 1000, "size": 200000},
        commands(session),
    ]


def unknown(session: str) -> Fault:
    """The error for a session that is not there."""
    return Fault(-32002, f"There is no session {session!r}.")


def silent(_: Turn) -> None:
    """Add nothing."""


def no_choices(_: str) -> tuple[()]:
    """What a folder adds to the choices: nothing."""
    return ()


def no_updates(_: Session) -> list[dict[str, Any]]:
    """Confirm a mode without a word."""
    return []


def no_methods(_: Sessions) -> Mapping[str, Method]:
    """Know no methods but those of the protocol."""
    return {}
