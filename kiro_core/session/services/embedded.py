"""Show the terminals that the desk runs to a client that knows nothing of them: as the text of their output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kiro_core.frames import Frame
from kiro_core.journal import content_of, retold, terminal_of, with_text

_CALLS = 100


class Embedded:
    """The tool calls in which our terminals are shown, so that they can be shown again with all of the output.

    Only the last hundred are remembered.
    """

    def __init__(self, text_of: Callable[[str], str | None]) -> None:
        """`text_of` gives the output so far of a terminal of ours, None of any other."""
        self._text_of = text_of
        self._contents: dict[str, tuple[Frame, list[Any]]] = {}

    def shown(self, frames: Sequence[Frame]) -> list[Frame]:
        """Updates with text in place of our terminals."""
        return [self._shown(frame) if b"toolCallId" in frame.raw else frame for frame in frames]

    def retold(self, frames: Sequence[Frame]) -> list[Frame]:
        """The same for updates that were shown before, of which nothing new is remembered."""
        contents = ((frame, content_of(frame)) for frame in frames)
        return [retold(frame, with_text(told, self._text_of)) if told else frame for frame, told in contents]

    def again(self, terminal: str) -> list[Frame]:
        """Updates that show the output of a terminal as it is now, where it is shown at all."""
        return [
            _update(frame, call, with_text(content, self._text_of))
            for call, (frame, content) in self._contents.items()
            if any(terminal_of(block) == terminal for block in content)
        ]

    def _shown(self, frame: Frame) -> Frame:
        content = content_of(frame)
        call = frame.params["update"].get("toolCallId") if content is not None else None
        if content is None or not isinstance(call, str):
            return frame
        # An update replaces the whole content, so a terminal that is not in it any more is not shown any more.
        self._contents.pop(call, None)
        told = with_text(content, self._text_of)
        if told == content:
            return frame
        self._contents[call] = (frame, content)
        if len(self._contents) > _CALLS:
            del self._contents[next(iter(self._contents))]
        return retold(frame, told)


def _update(frame: Frame, call: str, content: list[Any]) -> Frame:
    update = {"sessionUpdate": "tool_call_update", "toolCallId": call, "content": content}
    return Frame.of("session/update", {"sessionId": frame.session, "update": update})
