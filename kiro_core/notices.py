"""One way to tell a client something outside the conversation, in the best form that it understands.

A client that offered `session.notices` gets the `notice` update; a Kiro client gets Kiro's own
notification where there is one; any other gets a marked message chunk at its next turn, which is
never sent to the agent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kiro_core.frames import Frame
from kiro_core.messages import MARK
from kiro_core.types import Notice, PeerInfo, SessionId

CURSOR = "_kiro_core/cursor"
"""A notification for clients with the ability `CURSORS`: `{sessionId, seq}`, all up to that record was shown.

Without `seq` it announces messages that count as shown only when one with a number follows.
"""

CURSORS = "cursor"
"""The ability of a client that wants to be told how far it was shown a session."""

UNATTENDED = "unattended"
"""The ability of a client at which no person sits: what its sessions ask goes to the sessions above them first."""

ALONE = "alone"
"""The ability of a client that is shown the sessions that it asked for, and none below them."""

MEMBERS = "_kiro.dev/subagent/list_update"
"""Kiro's notification of the sessions below one; its params are those of `crew/members/news.py`."""

TRUST = "kiro_core-trust"
WAITING = "kiro_core-waiting-"
"""How the tool call of our question begins whether prompts of a killed desk are to be sent."""


def _picked(*names: str) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda details: {name: details[name] for name in names if name in details}


_KIRO: dict[str, tuple[str, Callable[[Mapping[str, Any]], dict[str, Any]]]] = {
    "agent_not_found": ("_kiro.dev/agent/not_found", _picked("requestedAgent", "fallbackAgent")),
    "agent_config_error": ("_kiro.dev/agent/config_error", _picked("path", "error")),
    "model_not_found": ("_kiro.dev/model/not_found", _picked("requestedModel", "fallbackModel")),
    "mcp_failed": ("_kiro.dev/mcp/server_init_failure", _picked("serverName", "error")),
}


def at_once(notice: Notice, client: PeerInfo, session: SessionId) -> Frame | None:
    """The notification that tells this client now, or None when it has to wait for its next turn."""
    if "notices" in client.abilities:
        update = {"sessionUpdate": "notice", "severity": notice.severity, "title": notice.sentence}
        return Frame.of("session/update", {"sessionId": session, "update": {**update, "_meta": _meta(notice)}})
    if client.name.lower().startswith("kiro") and notice.kind in _KIRO:
        method, pick = _KIRO[notice.kind]
        return Frame.of(method, {"sessionId": session, **pick(notice.details)})
    return None


def at_next_turn(notice: Notice, session: SessionId) -> Frame:
    """The same as a marked chunk of the agent's message, for any client."""
    content = {"type": "text", "text": f"[{MARK}] {notice.sentence}\n\n"}
    update = {"sessionUpdate": "agent_message_chunk", "content": content, "_meta": _meta(notice)}
    return Frame.of("session/update", {"sessionId": session, "update": update})


def recorded_notice(notice: Notice) -> dict[str, Any]:
    """The data of a record `notice`."""
    return {"notice": notice.kind, "text": notice.sentence, "severity": notice.severity, **notice.details}


def notice_of(recorded: Mapping[str, Any]) -> Notice:
    """The notice in such a record."""
    details = {name: value for name, value in recorded.items() if name not in ("notice", "text", "severity")}
    severity = recorded.get("severity", "warning")
    return Notice(recorded.get("notice", ""), recorded.get("text", ""), severity=severity, details=details)


def without_wishes(params: Mapping[str, Any]) -> dict[str, Any]:
    """Params as they are for an agent: without what is meant for the desk, `_meta.kiro_core`."""
    meta = params.get("_meta")
    if not isinstance(meta, dict) or MARK not in meta:
        return dict(params)
    kept = {key: value for key, value in meta.items() if key != MARK}
    rest = {key: value for key, value in params.items() if key != "_meta"}
    return {**rest, "_meta": kept} if kept else rest


def _meta(notice: Notice) -> dict[str, Any]:
    return {MARK: {"notice": notice.kind, **notice.details}}
