"""Claude, as claude-agent-acp 0.100.0 speaks: everything is an option, and some updates come after the answer."""

from __future__ import annotations

from typing import Any

from kiro_core.rehearsal.features import named
from kiro_core.rehearsal.profile import Choice, Profile, uuid_like
from kiro_core.rehearsal.turn import Turn
from kiro_core.rehearsal.wire import Fault

_TOOL = "Bash"
_META = {"_meta": {"claudeCode": {"toolName": _TOOL}}}
_MODES = {
    "default": "Manual",
    "acceptEdits": "Accept edits",
    "plan": "Plan",
    "auto": "Auto",
    "bypassPermissions": "Bypass permissions",
}
_QUOTA = {"quota": {"token_count": {"input_tokens": 0, "output_tokens": 0}, "model_usage": []}}


def _announce(turn: Turn, call: dict[str, Any]) -> None:
    more = {"name": _TOOL, "rawInput": {}, "content": [], "status": "pending"}
    turn.update({**_META, "sessionUpdate": "tool_call", **call, **more})


def _finish(turn: Turn, call: dict[str, Any], status: str) -> None:
    done = {"toolCallId": call["toolCallId"], "status": status}
    turn.update({**_META, "sessionUpdate": "tool_call_update", **done})


def _missing(session: str) -> Fault:
    return Fault(-32002, "Resource not found", {"sessionId": session})


PROFILE = Profile(
    info={"name": "@agentclientprotocol/claude-agent-acp", "title": "Claude Agent", "version": "0.100.0"},
    features=named(
        "load resume list delete close directories image embedded mcp-http mcp-sse logout "
        "modes mode-option model-option more-options usage late-updates"
    ),
    choices=(
        Choice("mode", "Mode", "mode", _MODES),
        Choice("model", "Model", "model", {name: name.title() for name in ("default", "opus", "sonnet", "haiku")}),
        Choice("effort", "Effort", "thought_level", {name: name.title() for name in ("default", "low", "high")}),
        Choice("fast", "Fast mode", "model_config"),
    ),
    logins=(
        {"id": "claude-ai-login", "name": "Claude Subscription", "type": "terminal", "args": ["--login"]},
        {"id": "console-login", "name": "Anthropic Console", "type": "terminal", "args": ["--login"]},
    ),
    commands={"compact": "Shorten the conversation", "review": "Review a change"},
    new_id=uuid_like,
    unknown=_missing,
    unopened=_missing,
    tool_kind="execute",
    replies=(("allow-once", "allow_once"), ("allow-with-updates", "allow_always"), ("reject", "reject_once")),
    unguarded=frozenset({"bypassPermissions", "auto"}),
    announce=_announce,
    finish=_finish,
    result={"_meta": _QUOTA},
    usage={"cachedReadTokens": 0, "cachedWriteTokens": 0},
    greeting=(("_auth/status_update", {"authStatus": {"kind": "api_key", "label": "Anthropic API key"}}),),
)
