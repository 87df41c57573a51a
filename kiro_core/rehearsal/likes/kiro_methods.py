"""Kiro's own methods: its names for the list and the end of sessions, and its commands."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from kiro_core.rehearsal.answers import Answer, Method, Params
from kiro_core.rehearsal.sessions import Sessions
from kiro_core.rehearsal.wire import Fault


def methods(sessions: Sessions) -> Mapping[str, Method]:
    """The methods by name; `_session/terminate` is the older one, a notification."""
    terminate = partial(_terminate, sessions)
    return {
        "_kiro.dev/session/list": partial(_list, sessions),
        "_kiro.dev/session/terminate": terminate,
        "_session/terminate": terminate,
        "_kiro.dev/commands/execute": partial(_execute, sessions),
        "_kiro.dev/commands/options": lambda _: {"options": [], "hasMore": False},
    }


def _list(sessions: Sessions, params: Params) -> Answer:
    return {"sessions": [{**body["info"], "messageCount": len(body["history"])} for body in sessions.kept(params)]}


def _terminate(sessions: Sessions, params: Params) -> Answer:
    """End a session; one that is not there is a success too."""
    sessions.end(params)
    return {}


def _execute(sessions: Sessions, params: Params) -> Answer:
    session = sessions.get(params)
    command = params.get("command")
    if not isinstance(command, dict):
        raise Fault(-32602, 'A command is an object, such as {"command": "usage", "args": {}}.')
    name = command.get("command")
    if name not in session.profile.commands:
        return {"success": False, "message": f"There is no command {name!r}."}
    for method, more in _TOLD.get(str(name), ()):
        sessions.wire.notify(method, {"sessionId": session.id, **more})
    return {"success": True, "message": f"Done: {name}.", "data": {}}


_TOLD: Mapping[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "compact": (
        ("_kiro.dev/compaction/status", {"status": {"type": "started"}}),
        ("_kiro.dev/compaction/status", {"status": {"type": "completed"}, "summary": "All was said."}),
    ),
    "clear": (("_kiro.dev/clear/status", {}),),
}
