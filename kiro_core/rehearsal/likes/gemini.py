"""Gemini CLI, as version 0.61.0 speaks: it asks about tool calls that it never announced, and forgets its sessions."""

from __future__ import annotations

from typing import Any

from kiro_core.rehearsal.features import named
from kiro_core.rehearsal.profile import Choice, Profile, uuid_like
from kiro_core.rehearsal.session import Session
from kiro_core.rehearsal.turn import Turn
from kiro_core.rehearsal.wire import Fault

_BARE: dict[str, Any] = {"content": [], "locations": []}


def _announce(turn: Turn, call: dict[str, Any]) -> None:
    turn.update({"sessionUpdate": "tool_call", **call, "status": "in_progress", **_BARE})


def _finish(turn: Turn, call: dict[str, Any], status: str) -> None:
    turn.update({"sessionUpdate": "tool_call_update", **call, "status": status, **_BARE})


def _mode_set(session: Session) -> list[dict[str, Any]]:
    told = {"type": "text", "text": f"[MODE_UPDATE] {session.chosen['mode']}"}
    return [{"sessionUpdate": "agent_message_chunk", "content": told}]


def _unknown(session: str) -> Fault:
    return Fault(-32602, f"Session not found: {session}")


def _unopened(session: str) -> Fault:
    return Fault(-32603, "Internal error", {"details": f'Invalid session identifier "{session}".'})


PROFILE = Profile(
    info={"name": "gemini-cli", "title": "Gemini CLI", "version": "0.61.0"},
    features=named("load image audio embedded mcp-http mcp-sse modes models outlive-stdin"),
    choices=(
        Choice("mode", "Mode", "mode", {"default": "Default", "autoEdit": "Auto Edit", "yolo": "YOLO", "plan": "Plan"}),
        Choice("model", "Model", "model", {"auto": "Auto", "gemini-3.8-flash": "gemini-3.8-flash"}),
    ),
    logins=(
        {"id": "oauth-personal", "name": "Log in with Google"},
        {"id": "gemini-api-key", "name": "Gemini API key", "_meta": {"api-key": {"provider": "google"}}},
        {"id": "vertex-ai", "name": "Vertex AI"},
    ),
    commands={"memory show": "Show the memory", "about": "Show the version"},
    new_id=uuid_like,
    unknown=_unknown,
    unopened=_unopened,
    tool_kind="execute",
    asks="unannounced",
    replies=(("proceed_always", "allow_always"), ("proceed_once", "allow_once"), ("cancel", "reject_once")),
    unguarded=frozenset({"yolo"}),
    announce=_announce,
    finish=_finish,
    result={"_meta": {"quota": {"token_count": {"input_tokens": 0, "output_tokens": 0}, "model_usage": []}}},
    mode_set=_mode_set,
    forgetful=True,
)
