"""What a client that fell behind has missed, read from the record: the same as it would have been shown."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from kiro_core.frames import Frame
from kiro_core.journal import Entry, Prompts, lost, readable, said_at
from kiro_core.notices import notice_of
from kiro_core.session.clients import Item, Said
from kiro_core.session.inbox.wording import notification
from kiro_core.types import GAP

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_STATE = re.compile(rb'"(config_option_update|current_mode_update)"')
"""Updates that are told in a form of ours: what counts of them is how the session is in the end."""


async def missed(session: Session, after: int, upto: int) -> AsyncGenerator[tuple[int, Sequence[Item]], None]:
    """What the records behind number `after` up to `upto` show, each with its number."""
    stale, prompts, ids = False, Prompts(), _Ids(session)
    async with aclosing(_entries(session, after, upto)) as found:
        async for seq, item in found:
            if item.turn and item.kind in ("prompt", "turn_begun", "turn_ended"):
                met, prompt = prompts.met(item), prompts.said(item)
                if not met:
                    prompt = await said_at(session.tools.store.read(session.plan.info.id), item.turn, seq)
                items: Sequence[Item] = [Said(item.turn, prompt)] if prompt is not None else ()
                if item.kind == "turn_begun":
                    ids.begun(item)
            else:
                items = _shown(session, item, ids)
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


class _Ids:
    """Which messages are the session's own: the agent may have had another id of it then."""

    def __init__(self, session: Session) -> None:
        self._ours = session.plan.info.id
        self._own = {session.agent_session}
        self._told = False

    def begun(self, item: Entry) -> None:
        """Take note of the id that a turn was begun with; until then any unknown one counts as the session's own."""
        data = item.value
        if isinstance(data, dict) and isinstance(data.get("session"), str):
            self._own.add(data["session"])
            self._told = True

    def for_client(self, frame: Frame) -> Frame:
        """The message under the id by which the client knows the session; a child of the agent's keeps its own."""
        own = frame.session is None or frame.session in self._own or not self._told
        return frame.with_session(self._ours) if own else frame


def _shown(session: Session, item: Entry, ids: _Ids) -> Sequence[Item]:
    match item.kind:
        case "update":
            return _update(session, item.frame, ids)
        case "shown":
            return [item.frame]
        case "notice":
            return [notice_of(item.value)]
        case "message":
            return _came(session, item.value)
        case "terminal":
            return session.services.shown_at_end(item.value)
        case _:
            return [lost(item)] if item.kind == GAP else ()


def _update(session: Session, frame: Frame, ids: _Ids) -> Sequence[Item]:
    if frame.fault is not None or session.is_strange(frame) or _STATE.search(frame.raw):
        return ()
    return [ids.for_client(each) for each in session.services.shown_again([frame])]


def _came(session: Session, letter: Any) -> Sequence[Item]:
    unread = letter.get("unread") if isinstance(letter, dict) else None
    info = session.metadata.info
    return [notification(info.id, info.name, unread)] if isinstance(unread, dict) else ()
