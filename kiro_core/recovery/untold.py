"""What the last turn told an agent of messages and did not end well with: nobody knows whether the agent knows it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing

from kiro_core.frames import Frame
from kiro_core.journal import Entry, prompt_text, prompted
from kiro_core.recovery.reading import entries, told
from kiro_core.types import Record

_WINDOW = 256
_WIDER = 8
_WELL = ("settled", "cancelled")


async def untold(read: Callable[[int], AsyncIterator[Record]], head: int) -> str:
    """The text, empty where that turn ended well or told nothing.

    `read` gives the records behind a number, `head` is the last one's. A turn tells what those before it did not end
    well with, so that the last one has it all, and the search goes back no further than where that began.
    """
    window = _WINDOW
    while True:
        after = max(0, head - window)
        found = await _within(read(after), whole=after == 0)
        if found is not None:
            return found
        window *= _WIDER


async def _within(records: AsyncIterator[Record], *, whole: bool) -> str | None:
    """The same in a part of the log; None when it begins too late to tell."""
    prompts: dict[str, Frame] = {}
    last, ended = Entry("", ""), False
    async with aclosing(entries(records)) as items:
        async for item in items:
            if item.kind == "prompt":
                prompts[item.turn] = item.frame
            elif item.kind == "turn_begun" and not told(item).get("order"):
                last, ended = item, False
            elif item.kind == "turn_ended":
                ended = ended or (item.turn == last.turn and told(item).get("state") in _WELL)
    if not last.kind:
        return "" if whole else None
    if ended:
        return ""
    prompt = prompts.get(last.turn)
    if prompt is None and told(last).get("messages") and not whole:
        return None
    held = prompt_text(prompt) if prompt is not None and prompted(prompt).messages else ""
    return "\n\n".join(filter(None, (str(told(last).get("told") or ""), held)))
