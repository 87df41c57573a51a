"""Texts that an agent sends in pieces, as chunks of what it says and as what its own terminals print."""

from __future__ import annotations

from typing import Any, NamedTuple

from kiro_core.frames import Frame, encode
from kiro_redact.walking import replaced

_CHUNK = "_chunk"
_PRINTED = ("terminal_output_delta", "terminal_output")
_OF = ("messageId", "compactionId", "toolCallId", "terminalId")


class Piece(NamedTuple):
    """A part of a text: which text that is, where it stands in its message, and the part."""

    stream: tuple[str, ...]
    path: tuple[str, ...]
    text: str


def piece_of(frame: Frame) -> Piece | None:
    """The piece that an update holds; None for any other message."""
    update = frame.params.get("update") if frame.method == "session/update" else None
    if not isinstance(update, dict):
        return None
    kind, session = str(update.get("sessionUpdate")), frame.session or ""
    content = update.get("content")
    if kind.endswith(_CHUNK) and isinstance(content, dict) and isinstance(text := content.get("text"), str):
        of = [str(update[name]) for name in _OF if name in update]
        return Piece((session, kind, *of), ("params", "update", "content", "text"), text)
    return _printed(session, update.get("_meta"))


def _printed(session: str, meta: Any) -> Piece | None:
    """What a terminal of the agent's own has printed; see `ReplayedTerminals`."""
    for name in _PRINTED if isinstance(meta, dict) else ():
        told = meta.get(name)
        if isinstance(told, dict) and isinstance(text := told.get("data"), str):
            return Piece(
                (session, "terminal", str(told.get("terminal_id"))), ("params", "update", "_meta", name, "data"), text
            )
    return None


def with_text(frame: Frame, path: tuple[str, ...], text: str) -> Frame:
    """The same update with another text; every other byte stays as it is."""
    return Frame.read(replaced(frame.raw, path, encode(text)))


def is_single(frame: Frame, path: tuple[str, ...]) -> bool:
    """Whether the text stands there once: of a doubled key who parses sees one value, and who searches the other."""
    text = frame.text_at(*path)
    return text is not None and replaced(frame.raw, path, text) == frame.raw
