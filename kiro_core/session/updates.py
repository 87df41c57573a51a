"""The few things that a session reads in what passes: titles, history on load, the text of a prompt."""

from __future__ import annotations

from typing import Any

from kiro_core.frames import Frame
from kiro_core.journal import STATE_UPDATES

_TITLE_LENGTH = 150


def observed_title(frame: Frame) -> str:
    """The title that a `session_info_update` sets, or `""`."""
    if b"session_info_update" not in frame.raw:
        return ""
    update = _update(frame)
    title = update.get("title") if update.get("sessionUpdate") == "session_info_update" else None
    return title[:_TITLE_LENGTH] if isinstance(title, str) else ""


def shown_while_loading(frame: Frame) -> bool:
    """Whether a notification during `session/load` is news: the agent's replay is not, our record has it."""
    kind = _update(frame).get("sessionUpdate")
    return frame.method != "session/update" or (isinstance(kind, str) and kind in STATE_UPDATES)


def prompt_title(frame: Frame) -> str:
    """The first line of a prompt's text, at most 150 characters."""
    for block in frame.params.get("prompt") or []:
        text = block.get("text") if isinstance(block, dict) else None
        if isinstance(text, str) and text.strip():
            line = text.strip().splitlines()[0]
            return line if len(line) <= _TITLE_LENGTH else line[: _TITLE_LENGTH - 3] + "..."
    return ""


def with_preface(frame: Frame, text: str) -> Frame:
    """The same prompt with a text block in front, for an agent that has no place of its own for it."""
    params = frame.params
    blocks = [{"type": "text", "text": text}, *(params.get("prompt") or [])]
    return Frame.of("session/prompt", {**params, "prompt": blocks}, id=0)


def _update(frame: Frame) -> dict[str, Any]:
    update = frame.params.get("update")
    return update if isinstance(update, dict) else {}
