"""Directives that send updates: any one, one of every kind, or one when the turn is over."""

from __future__ import annotations

import json
from typing import Any

from kiro_core.rehearsal.choosing import options_of
from kiro_core.rehearsal.turn import Turn

_STEP = {"content": "look", "priority": "high", "status": "pending"}
_PLAN = "plan-1"
_COMPACTION = "compaction-1"


def update(turn: Turn, text: str) -> None:
    """`/update JSON`: send this update, whatever it is."""
    turn.update(_object(text))


def after(turn: Turn, text: str) -> None:
    """`/after JSON`: send this update behind the prompt's answer."""
    turn.after.append(_object(text))


def updates(turn: Turn, which: str) -> None:
    """`/updates [all]`: send an update of every kind that the client can understand, or of all there are."""
    every = which.strip() == "all"
    turn.update(*_stable(turn))
    for capability, makes in _ON_REQUEST.items():
        if every or turn.wire.offers(*capability):
            turn.update(*makes(turn))


def _stable(turn: Turn) -> list[dict[str, Any]]:
    call = turn.call("Look around", "read")
    found = [{"type": "content", "content": {"type": "text", "text": "nothing"}}]
    done = {"toolCallId": call["toolCallId"], "status": "completed", "content": found, "rawOutput": {"found": 0}}
    listed = [{"name": "look", "description": "Look around", "input": {"hint": "where"}}]
    session, options = turn.session, options_of(turn.session, turn.wire)
    mode = [{"sessionUpdate": "current_mode_update", "currentModeId": session.chosen.get("mode")}]
    return [
        turn.chunk("You said something.", "user_message_chunk"),
        turn.chunk("I say something."),
        turn.chunk("I think.", "agent_thought_chunk"),
        {
            "sessionUpdate": "tool_call",
            **call,
            "status": "pending",
            "rawInput": {},
            "locations": [{"path": session.cwd}],
        },
        {"sessionUpdate": "tool_call_update", **done},
        {"sessionUpdate": "plan", "entries": [_STEP]},
        {"sessionUpdate": "available_commands_update", "availableCommands": listed},
        *(mode if session.choice("mode") else []),
        *([{"sessionUpdate": "config_option_update", "configOptions": options}] if options else []),
        {"sessionUpdate": "session_info_update", "title": "A title"},
        {"sessionUpdate": "session_info_update", "title": None, "updatedAt": session.updated},
        {"sessionUpdate": "usage_update", "used": 53000, "size": 200000, "cost": {"amount": 0.04, "currency": "USD"}},
    ]


def _notices(_: Turn) -> list[dict[str, Any]]:
    return [{"sessionUpdate": "notice", "severity": "warning", "title": "Something is odd", "description": "But why?"}]


def _compaction(_: Turn) -> list[dict[str, Any]]:
    named = {"compactionId": _COMPACTION}
    return [
        {"sessionUpdate": "compaction_update", **named, "status": "in_progress"},
        {"sessionUpdate": "compaction_summary_chunk", **named, "content": {"type": "text", "text": "All was said."}},
        {"sessionUpdate": "compaction_update", **named, "status": "completed"},
    ]


def _plans(_: Turn) -> list[dict[str, Any]]:
    contents: list[dict[str, Any]] = [
        {"type": "items", "entries": [_STEP]},
        {"type": "markdown", "content": "1. look"},
        {"type": "file", "uri": "file:///plan.md"},
    ]
    told = [{"sessionUpdate": "plan_update", "plan": {"planId": _PLAN, **content}} for content in contents]
    return [*told, {"sessionUpdate": "plan_removed", "planId": _PLAN}]


def _subagents(turn: Turn) -> list[dict[str, Any]]:
    child = f"{turn.session.id}-child"
    message = {"messageId": f"message-{next(turn.session.numbers)}"}
    ends = {"senderSessionId": turn.session.id, "recipientSessionId": child}
    text = {"type": "text", "text": "Help me."}
    return [
        {"sessionUpdate": "subagent_update", "sessionId": child, "title": "A child", "state": {"state": "running"}},
        {"sessionUpdate": "session_message", **message, **ends, "content": [text]},
        {"sessionUpdate": "session_message_chunk", **message, "content": text},
    ]


_ON_REQUEST = {
    ("session", "notices"): _notices,
    ("session", "compaction"): _compaction,
    ("plan",): _plans,
    ("subagents",): _subagents,
}
"""What a client must have offered, and the updates of which it then understands one of every kind."""


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError(text)  # noqa: TRY004 - it is the text that cannot be taken
    return value
