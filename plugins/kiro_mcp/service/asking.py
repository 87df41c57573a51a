"""The requests that hosts' wishes become, in the desk's words; what is for it alone stands in `_meta.kiro_core`."""

from __future__ import annotations

from typing import Any

from kiro_core.frames import Frame
from kiro_core.types import SessionInfo

MARK = "kiro_core"
"""The key under `_meta` of all that is the desk's."""


def new_session(cwd: str, *, agent: str, engine: str) -> Frame:
    """`session/new`; an agent configuration that is named is required, and what is not is the desk's choice."""
    wishes: dict[str, Any] = {"agent": agent, "agentRequired": True} if agent else {}
    if engine:
        wishes["engine"] = engine
    return Frame.of("session/new", {"cwd": cwd, "mcpServers": [], "_meta": {MARK: wishes}}, id=0)


def resume(info: SessionInfo, cwd: str) -> Frame:
    """`session/resume`: go on with a stored session, without showing its conversation again."""
    params = {"sessionId": info.id, "cwd": cwd, "mcpServers": [], "additionalDirectories": list(info.roots)}
    return Frame.of("session/resume", params, id=0)


def prompt(session: str, text: str, task: str) -> Frame:
    """`session/prompt`; its record keeps what we call the turn. It waits behind those that are there."""
    wishes = {"task": task, "whenBusy": "queue"}
    blocks = [{"type": "text", "text": text}]
    return Frame.of("session/prompt", {"sessionId": session, "prompt": blocks, "_meta": {MARK: wishes}}, id=0)


def about(method: str, session: str, **params: Any) -> Frame:
    """Any other request about a session."""
    return Frame.of(method, {"sessionId": session, **params}, id=0)
