"""What a client that fell behind has missed, read from the record: the same as it would have been shown."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from kiro_core.frames import Frame
from kiro_core.journal import Entry, Prompts, lost, readable
from kiro_core.session.clients import Item, Said
from kiro_core.types import GAP, Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_STATE = re.compile(rb'"(config_option_update|current_mode_update)"')
"""Updates that are told in a form of ours: what counts of them is how the session is in the end."""


async def missed(session: Session, after: int, upto: int) -> AsyncGenerator[tuple[int, Sequence[Item]], None]:
    """What the records behind number `after` up to `upto` show, each with its number."""
    stale, prompts = False, Prompts()
    async with aclosing(_entries(session, after, upto)) as found:
        async for seq, item in found:
            if item.turn and item.kind in ("prompt", "turn_begun", "turn_ended"):
                known = prompts.knows(item.turn)
                prompt = prompts.said(item) if known or item.kind == "prompt" else await _said(session, item, seq)
                items: Sequence[Item] = [Said(item.turn, prompt)] if prompt is not None else ()
            else:
                items = _shown(session, item)
                stale = stale or (item.kind == "update" and bool(_STATE.search(bytes(item.data))))
            if items:
                yield seq, items
    if stale:
        yield upto, [session.for_client(frame) for frame in session.options.now()]


async def _entries(session: Session, after: int, upto: int) -> AsyncGenerator[tuple[int, Entry], None]:
    records = session.tools.store.read(session.plan.info.id, after)
    try:
        async for record in records:
            if record.seq > upto:
                return
            if (item := readable(record)) is not None:
                yield record.seq, item
    finally:
        if isinstance(records, AsyncGenerator):
            await records.aclose()


def _shown(session: Session, item: Entry) -> Sequence[Item]:
    match item.kind:
        case "update":
            return _update(session, item.frame)
        case "shown":
            return [item.frame]
        case "notice":
            return [_notice(item)]
        case "terminal":
            return session.services.shown_at_end(item.value)
        case _:
            return [lost(item)] if item.kind == GAP else ()


def _update(session: Session, frame: Frame) -> Sequence[Item]:
    if frame.fault is not None or session.is_strange(frame) or _STATE.search(frame.raw):
        return ()
    return [session.for_client(each) for each in session.services.shown_again([frame])]


def _notice(item: Entry) -> Notice:
    told = dict(item.value)
    kind, text, severity = told.pop("notice", ""), told.pop("text", ""), told.pop("severity", "warning")
    return Notice(kind, text, severity=severity, details=told)


async def _said(session: Session, made: Entry, seq: int) -> Frame | None:
    """The prompt that record `seq` makes part of the conversation; it may have been accepted long before."""
    prompts = Prompts()
    async with aclosing(_entries(session, 0, seq)) as found:
        async for number, item in found:
            prompt = prompts.said(item) if item.turn == made.turn else None
            if number == seq:
                return prompt
    return None
