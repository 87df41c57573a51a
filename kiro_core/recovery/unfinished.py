"""Which turns a killed desk left behind: what nobody knows the outcome of, and what was never begun."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any, NamedTuple, cast

from kiro_core.frames import Frame
from kiro_core.journal import Entry, entry
from kiro_core.types import Record

_WINDOW = 256
_WIDER = 8


class Unfinished(NamedTuple):
    """A turn that was accepted and has no end on record; `begun` tells that the agent was sent its prompt."""

    id: str
    prompt: Frame
    begun: bool


async def unfinished(read: Callable[[int], AsyncIterator[Record]], head: int) -> list[Unfinished]:
    """The turns without an end, in the order in which they were accepted.

    `read` gives the records behind a number, `head` is the last one's. The end of a turn names the turns
    that were open then, so that the search goes back only as far as the last end and what it names.
    """
    window = _WINDOW
    while True:
        after = max(0, head - window)
        found = await _within(read(after), whole=after == 0)
        if found is not None:
            return found
        window *= _WIDER


async def _within(records: AsyncIterator[Record], *, whole: bool) -> list[Unfinished] | None:
    """The same in a part of the log; None when it begins too late to tell."""
    prompts: dict[str, Frame] = {}
    begun: set[str] = set()
    ended: set[str] = set()
    named: list[str] | None = [] if whole else None
    async with aclosing(cast("Any", records)):
        async for record in records:
            item = entry(record)
            if item.kind == "prompt":
                prompts[item.turn] = item.frame
            elif item.kind == "turn_begun":
                begun.add(item.turn)
            elif item.kind == "turn_ended":
                ended.add(item.turn)
                named = _open_then(item)
    if named is None or any(turn not in prompts and turn not in ended for turn in named):
        return None if not whole else _left(prompts, begun, ended)
    return _left(prompts, begun, ended)


def _left(prompts: dict[str, Frame], begun: set[str], ended: set[str]) -> list[Unfinished]:
    return [Unfinished(turn, frame, turn in begun) for turn, frame in prompts.items() if turn not in ended]


def _open_then(item: Entry) -> list[str]:
    data = item.value
    named = data.get("open") if isinstance(data, dict) else None
    return [turn for turn in named if isinstance(turn, str)] if isinstance(named, list) else []
