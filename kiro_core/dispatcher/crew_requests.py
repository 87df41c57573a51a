"""What Kiro's own clients ask of a crew, in its words (kiro-cli 2.x); what cannot be done is never answered with ok."""

from __future__ import annotations

from typing import Any

from kiro_core.dispatcher.requests import session_of
from kiro_core.errors import RpcError
from kiro_core.frames import Frame
from kiro_core.journal import text_of
from kiro_core.ports.members import Members
from kiro_core.rpc import INVALID_PARAMS

SPAWN = frozenset({"_session/spawn", "_kiro.dev/session/spawn"})
"""`{sessionId, task, name?, agentName?}` -> `{sessionId, name}`: a persistent member of that session."""

SEND = frozenset({"_message/send", "_kiro.dev/message/send"})
"""`{sessionId, content}` -> `{ok: true}`: a letter of a person, whose content is a text or content blocks."""


async def spawned(crew: Members, frame: Frame) -> Frame:
    """Answer `SPAWN`."""
    given = {key: _text(frame, key) for key in ("task", "name", "agentName")}
    member = await crew.spawn(
        session_of(frame), given["task"], name=given["name"], agent=given["agentName"], persistent=True
    )
    return Frame.answer({"sessionId": member.session, "name": member.name})


async def sent(crew: Members, frame: Frame) -> Frame:
    """Answer `SEND`."""
    await crew.send("", session_of(frame), _content(frame))
    return Frame.answer({"ok": True})


def _content(frame: Frame) -> str:
    content: Any = frame.params.get("content")
    if isinstance(content, str):
        return content
    if isinstance(content, list) and all(isinstance(block, dict) for block in content):
        return "\n".join(filter(None, map(text_of, content)))
    raise RpcError(INVALID_PARAMS, f"{frame.method} needs content: a text, or a list of content blocks.")


def _text(frame: Frame, key: str) -> str:
    text = frame.params.get(key)
    if not isinstance(text, str | None) or (key == "task" and not text):
        raise RpcError(INVALID_PARAMS, f"{frame.method} needs a text as {key}.")
    return text or ""
