"""Codex, as codex-acp 2.6.0 speaks: it never asks, and shows terminals that nobody created."""

from __future__ import annotations

from typing import Any

from kiro_core.rehearsal.features import named
from kiro_core.rehearsal.profile import Choice, Profile, uuid_like
from kiro_core.rehearsal.turn import Turn
from kiro_core.rehearsal.wire import Fault

_MODES = {
    "agent": "Auto review",
    "read-only": "Read-only",
    "workspace-write": "Workspace access",
    "agent-full-access": "Full access",
}
_QUOTA: dict[str, Any] = {"quota": {"token_count": None, "model_usage": []}}


def _announce(turn: Turn, call: dict[str, Any]) -> None:
    terminal = call["toolCallId"]
    more = {"status": "in_progress", "content": [{"type": "terminal", "terminalId": terminal}]}
    info = {"_meta": {"terminal_info": {"cwd": turn.session.cwd, "terminal_id": terminal}}}
    turn.update({"sessionUpdate": "tool_call", **call, **more, **info})


def _finish(turn: Turn, call: dict[str, Any], status: str) -> None:
    named, terminal = {"toolCallId": call["toolCallId"]}, {"terminal_id": call["toolCallId"]}
    output = {"terminal_output_delta": {"data": f"{call['title']}\n", **terminal}}
    ended = {"terminal_exit": {"exit_code": 0 if status == "completed" else 1, "signal": None, **terminal}}
    turn.update({"sessionUpdate": "tool_call_update", **named, "_meta": output})
    turn.update({"sessionUpdate": "tool_call_update", **named, "status": status, "_meta": ended})


def _unknown(session: str) -> Fault:
    return Fault(-32002, f"Session {session} not found", {"sessionId": session})


def _unopened(session: str) -> Fault:
    return Fault(-32603, "Internal error", {"details": f"no rollout found for thread id {session}"})


PROFILE = Profile(
    info={"name": "@agentclientprotocol/codex-acp", "title": "Codex", "version": "2.6.0"},
    features=named(
        "load resume list delete close directories image embedded mcp-http logout "
        "modes models mode-option model-option more-options usage"
    ),
    choices=(
        Choice("mode", "Mode", "mode", _MODES),
        Choice(
            "collaboration_mode", "Collaboration mode", "collaboration_mode", {"default": "Default", "plan": "Plan"}
        ),
        Choice("model", "Model", "model", {"gpt-6.1-sol": "6.1 Sol", "gpt-6-astra": "6 Astra"}),
    ),
    model_suffix="[medium]",
    logins=(
        {"id": "api-key", "name": "API Key", "_meta": {"api-key": {"provider": "openai"}}},
        {"id": "chat-gpt", "name": "ChatGPT"},
    ),
    commands={"rename": "Rename the session", "logout": "Sign out"},
    new_id=uuid_like,
    unknown=_unknown,
    unopened=_unopened,
    tool_kind="execute",
    asks="never",
    announce=_announce,
    finish=_finish,
    result={"_meta": _QUOTA},
    greeting=(("_auth/status_update", {"authStatus": {"kind": "gateway", "label": "Custom model gateway"}}),),
)
