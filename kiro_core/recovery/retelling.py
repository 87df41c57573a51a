"""A recorded conversation as text, for an agent that does not remember it."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator
from typing import Any

from kiro_core.frames import Frame

_HEAD = "The conversation so far, from the record, since you do not remember it. Go on from here.\n"
_CUT = "(Its beginning is left out.)\n"
_SPEAKERS = {"user_message_chunk": "User", "agent_message_chunk": "You"}


async def retold(frames: AsyncIterator[Frame], characters: int) -> str:
    """What was said and which tools were used, as text of at most about that many characters; the end counts most.

    `frames` are `session/update` notifications as a client is shown them. Thoughts, plans and what the
    tools printed are left out. Every line is quoted, so that none is taken for a command or for ours.
    `""` when nothing was said.
    """
    kept: deque[tuple[str, str]] = deque()
    length, cut = 0, False
    async for frame in frames:
        who, text = _said(frame)
        if not text:
            continue
        if kept and who and kept[-1][0] == who:
            text = kept[-1][1] + text
            length -= len(kept.pop()[1])
        if len(text) > 2 * characters:
            text, cut = text[-characters:], True
        kept.append((who, text))
        length += len(text)
        while length - len(kept[0][1]) >= characters:
            length -= len(kept.popleft()[1])
            cut = True
    if not kept:
        return ""
    if length > characters:
        who, text = kept[0]
        kept[0], cut = (who, text[length - characters :]), True
    body = "\n".join(f"{who}:\n{_quoted(text)}" if who else text for who, text in kept)
    return f"<conversation>\n{_HEAD}{_CUT if cut else ''}\n{body}\n</conversation>"


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.strip().splitlines())


def _said(frame: Frame) -> tuple[str, str]:
    update = frame.params.get("update")
    if not isinstance(update, dict):
        return "", ""
    kind = update.get("sessionUpdate")
    if kind == "tool_call":
        return "", f"[tool: {' '.join(str(update.get('title')).split())}]"
    content = update.get("content")
    return _SPEAKERS.get(str(kind), ""), _text(content) if kind in _SPEAKERS and isinstance(content, dict) else ""


def _text(content: dict[str, Any]) -> str:
    if content.get("type") == "text":
        return str(content.get("text") or "")
    return f"[{content.get('type')}]"
