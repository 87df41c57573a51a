"""The few things that a session reads in what an agent says: titles, and history on load."""

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
    return printable(title[:_TITLE_LENGTH]) if isinstance(title, str) else ""


def printable(text: str) -> str:
    """Text for a title, which stands in lists and terminals: blanks for control characters."""
    return "".join(character if character.isprintable() else " " for character in text)


def shown_while_loading(frame: Frame) -> bool:
    """Whether a notification during `session/load` is news: the agent's replay is not, our record has it."""
    kind = _update(frame).get("sessionUpdate")
    return frame.method != "session/update" or (isinstance(kind, str) and kind in STATE_UPDATES)


def _update(frame: Frame) -> dict[str, Any]:
    update = frame.params.get("update")
    return update if isinstance(update, dict) else {}
