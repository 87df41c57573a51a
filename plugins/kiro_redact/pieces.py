"""Texts that an agent sends in pieces, as chunks of what it says and as what its own terminals print."""

from __future__ import annotations

from typing import Any, NamedTuple

from kiro_core.frames import Frame, encode
from kiro_redact.walking import replaced

_CHUNK = "_chunk"
_PRINTED = ("terminal_output_delta", "terminal_output")
_EXIT = "terminal_exit"
_OF = ("messageId", "compactionId", "toolCallId", "terminalId")


class Piece(NamedTuple):
    """A part of a text: which text that is, where it stands in its message, and the part, perhaps the `last`."""

    stream: tuple[str, ...]
    path: tuple[str, ...]
    text: str
    last: bool = False


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
            stream = (session, "terminal", str(told.get("terminal_id")))
            return Piece(stream, ("params", "update", "_meta", name, "data"), text, _EXIT in meta)
    return None


def rest_of(frame: Frame, piece: Piece, text: str) -> Frame:
    """What is left of the text of an update that was shown; whatever else it tells is not told again."""
    update = frame.params["update"]
    inner: dict[str, Any] = {piece.path[-1]: text}
    told = {key: update[key] for key in _OF if key in update}
    if piece.path[2] == "content":
        told |= {"sessionUpdate": update["sessionUpdate"], "content": {"type": "text", **inner}}
    else:
        name = piece.path[3]
        inner["terminal_id"] = update["_meta"][name].get("terminal_id")
        told |= {"sessionUpdate": "tool_call_update", "_meta": {name: inner}}
    return Frame.of("session/update", {"sessionId": frame.params.get("sessionId"), "update": told})


def with_text(frame: Frame, piece: Piece, text: str) -> Frame:
    """The same update with another text; every other byte stays as it is."""
    return Frame.read(replaced(frame.raw, piece.path, encode(text)))


def is_single(frame: Frame, path: tuple[str, ...]) -> bool:
    """Whether the text stands there once: of a doubled key who parses sees one value, and who searches the other."""
    text = frame.text_at(*path)
    return text is not None and replaced(frame.raw, path, text) == frame.raw
