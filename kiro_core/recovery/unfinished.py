"""Which turns a killed desk left behind: what nobody knows the outcome of, and what was never begun."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import NamedTuple

from kiro_core.frames import Frame
from kiro_core.journal import Entry
from kiro_core.recovery.reading import entries, told
from kiro_core.types import GAP, Record

_WINDOW = 256
_WIDER = 8


class Unfinished(NamedTuple):
    """A turn that was accepted and has no end on record; `begun` tells that the agent was sent its prompt.

    `damaged` tells that records behind its prompt are lost, among which its end may have been.
    """

    id: str
    prompt: Frame
    begun: bool
    damaged: bool = False


async def unfinished(read: Callable[[int], AsyncIterator[Record]], head: int) -> list[Unfinished]:
    """The turns without an end, in the order in which they were accepted.

    `read` gives the records behind a number, `head` is the last one's. The end of a turn names the turns
    that were open then, so that the search goes back only as far as the last end and what it names. An
    older record's end may name none; then all of it is searched.
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
    found: dict[str, Unfinished] = {}
    ended: set[str] = set()
    named: list[str] | None = None
    async with aclosing(entries(records)) as items:
        async for item in items:
            if item.kind == "prompt":
                found[item.turn] = Unfinished(item.turn, item.frame, begun=False)
            elif item.kind == "turn_begun" and item.turn in found:
                found[item.turn] = found[item.turn]._replace(begun=True)
            elif item.kind == GAP:
                # Whatever was lost may have been the record of its begin.
                found = {turn: left._replace(begun=True, damaged=True) for turn, left in found.items()}
            elif item.kind == "turn_ended":
                found.pop(item.turn, None)
                ended.add(item.turn)
                named = _open_then(item)
    enough = whole or (named is not None and all(turn in found or turn in ended for turn in named))
    return list(found.values()) if enough else None


def _open_then(item: Entry) -> list[str] | None:
    named = told(item).get("open")
    return [turn for turn in named if isinstance(turn, str)] if isinstance(named, list) else None
