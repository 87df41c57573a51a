"""Kiro CLI, as `kiro-cli acp` of version 2 speaks: modes are agents, and a tool call is announced three times."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kiro_core.rehearsal.features import named
from kiro_core.rehearsal.likes.kiro_methods import methods
from kiro_core.rehearsal.profile import Choice, Profile, uuid_like
from kiro_core.rehearsal.session import Session
from kiro_core.rehearsal.turn import Turn
from kiro_core.rehearsal.wire import Fault

_BUILT_IN = ("kiro_default", "kiro_planner", "kiro_guide")
_STATUS = {"initialized": "running", "failed": "failed", "late": "loading"}


def _agents(cwd: str) -> tuple[Choice, ...]:
    """The agents that are built in, of the folder and of the user, as modes."""
    home = Path(os.environ.get("KIRO_HOME") or Path.home() / ".kiro")
    files = [path for root in (Path(cwd, ".kiro"), home) for path in sorted((root / "agents").glob("*.json"))]
    names = [*_BUILT_IN, *(name for path in files if (name := _named(path)))]
    return (Choice("mode", "Agent", "mode", {name: name for name in names}),)


def _named(path: Path) -> str:
    try:
        body = json.loads(path.read_text())
    except (OSError, ValueError):
        return ""
    return str(body.get("name") or path.stem) if isinstance(body, dict) else ""


def _announce(turn: Turn, call: dict[str, Any]) -> None:
    turn.check()
    chunk = {"sessionUpdate": "tool_call_chunk", **call}
    turn.wire.notify("_kiro.dev/session/update", {"sessionId": turn.session.id, "update": chunk})
    turn.update({"sessionUpdate": "tool_call", **call, "status": "pending", "rawInput": _purpose(call)})


def _finish(turn: Turn, call: dict[str, Any], status: str) -> None:
    turn.update({"sessionUpdate": "tool_call_update", **call, "status": status, "rawInput": _purpose(call)})


def _purpose(call: dict[str, Any]) -> dict[str, str]:
    return {"command": "true", "__tool_use_purpose": call["title"]}


def _ending(turn: Turn) -> None:
    turn.check()
    spent = [{"value": 0.01, "unit": "credit", "unitPlural": "credits"}]
    told = {"sessionId": turn.session.id, "contextUsagePercentage": 3.5, "meteringUsage": spent}
    turn.wire.notify("_kiro.dev/metadata", told)


def _opened(session: Session, states: Mapping[str, str]) -> list[tuple[str, Mapping[str, Any]]]:
    servers = [{"name": name, "status": _STATUS[state], "toolCount": 0} for name, state in states.items()]
    commands = [{"name": name, "description": text} for name, text in session.profile.commands.items()]
    tools = [{"name": "shell", "description": "Run a command", "source": "built-in"}]
    offered = {"commands": commands, "prompts": [], "tools": tools, "mcpServers": servers}
    return [("_kiro.dev/commands/available", {"sessionId": session.id, **offered})]


def _unknown(session: str) -> Fault:
    return Fault(-32603, "Internal error", f"no session {session}")


PROFILE = Profile(
    info={"name": "kiro-cli", "title": "Kiro CLI", "version": "2.26.1"},
    features=named("load image mcp-http modes models reports-mcp"),
    choices=(Choice("model", "Model", "model", {name: name for name in ("auto", "claude-sonnet-4.5")}),),
    choices_in=_agents,
    commands={"usage": "Show what was used", "compact": "Shorten the conversation", "clear": "Forget it"},
    new_id=uuid_like,
    unknown=_unknown,
    unopened=_unknown,
    on_unknown="exit",
    wrong=-32603,
    busy=-32603,
    tool_kind="execute",
    replies=(("allow_once", "allow_once"), ("allow_always", "allow_always"), ("reject_once", "reject_once")),
    after_no="refusal",
    announce=_announce,
    finish=_finish,
    ending=_ending,
    opened=_opened,
    methods=methods,
)
