"""Messages that an agent was told with or in a turn that did not end well: nobody knows whether it knows them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import Any, NamedTuple

from kiro_core.frames import Frame
from kiro_core.journal import Entry, prompt_text, prompted
from kiro_core.recovery.reading import entries, told
from kiro_core.types import Record

_WINDOW = 256
_WIDER = 8


class Untold(NamedTuple):
    """The `text` that the last turn told, and the `letters` that its agent asked for, as their records have them."""

    text: str = ""
    letters: tuple[Mapping[str, Any], ...] = ()


async def untold(read: Callable[[int], AsyncIterator[Record]], head: int) -> Untold:
    """Nothing where that turn ended well; of one that was cancelled the letters, whose answer that may have cut off.

    `read` gives the records behind a number, `head` is the last one's. A turn tells what those before it did not end
    well with, so that the last one has it all, and the search goes back no further than where that, or a letter, came.
    """
    window = _WINDOW
    while True:
        after = max(0, head - window)
        found = await _within(read(after), whole=after == 0)
        if found is not None:
            return found
        window *= _WIDER


async def _within(records: AsyncIterator[Record], *, whole: bool) -> Untold | None:
    """The same in a part of the log; None when it begins too late to tell."""
    part = _Part()
    async with aclosing(entries(records)) as items:
        async for item in items:
            part.follow(item)
    return part.found(whole=whole)


class _Part:
    """A part of the log: its last turn that was begun, how that ended, and what its agent asked for."""

    def __init__(self) -> None:
        self._prompts: dict[str, Frame] = {}
        self._letters: dict[str, Mapping[str, Any]] = {}
        self._asked: list[tuple[str, str]] = []
        self._last = Entry("", "")
        self._state = ""

    def follow(self, item: Entry) -> None:
        match item.kind:
            case "prompt":
                self._prompts[item.turn] = item.frame
            case "turn_begun" if not told(item).get("order"):
                self._last, self._state = item, ""
            case "turn_ended" if item.turn == self._last.turn:
                self._state = self._state or str(told(item).get("state"))
            case "message":
                self._letters[str(told(item).get("id"))] = told(item)
            case "message_read" if isinstance(ids := told(item).get("ids"), list):
                self._asked += [(item.turn, str(name)) for name in ids]

    def found(self, *, whole: bool) -> Untold | None:
        if not self._last.kind:
            return Untold() if whole else None
        if self._state == "settled":
            return Untold()
        asked = [name for turn, name in self._asked if turn == self._last.turn]
        if not (whole or self._letters.keys() >= set(asked)):
            return None
        letters = tuple(self._letters[name] for name in asked if name in self._letters)
        if self._state == "cancelled":
            return Untold("", letters)
        text = self._text(whole=whole)
        return None if text is None else Untold(text, letters)

    def _text(self, *, whole: bool) -> str | None:
        prompt = self._prompts.get(self._last.turn)
        if prompt is None and told(self._last).get("messages") and not whole:
            return None
        held = prompt_text(prompt) if prompt is not None and prompted(prompt).messages else ""
        return "\n\n".join(filter(None, (str(told(self._last).get("told") or ""), held)))
