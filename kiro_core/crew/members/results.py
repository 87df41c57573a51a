"""What a task came to, on its way: the member's own record has it first, then its parent's inbox, then its metadata.

Whatever dies between two of these steps, who opens the parent next repeats the rest: see `recovering`.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import msgspec

from kiro_core.crew.answering import left
from kiro_core.crew.events import AttemptOutcome
from kiro_core.crew.posting import post
from kiro_core.crew.said import Result
from kiro_core.errors import KiroError, SessionNotFound
from kiro_core.journal import Journal, readable
from kiro_core.types import LETTER_CHARACTERS, Letter, Record

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.members.roster import Entry, Roster

_LOG = logging.getLogger(__name__)

RESULT = "crew_result"
"""The kind of record that tells what a session's task came to: `{task, outcome, text}`, `task` counted from 1."""

_NEVER = "Nothing is on record of it: it had not begun, or somebody has deleted it."
_CUT_OFF = "It was cut off, and nobody knows how far it came. Revive it with another task to go on."


class _Recorded(msgspec.Struct):
    task: int
    outcome: AttemptOutcome
    text: str = ""


async def record_open(ground: Ground, entry: Entry, result: Result) -> bool:
    """Put it on the member's own record if that is open here; whether it is there."""
    live = ground.live(entry.session)
    if live is None:
        return False
    try:
        await live.record(RESULT, _data(entry, result))
    except KiroError as error:
        _LOG.info("the result of the session %s is not on its record yet: %s", entry.session, error)
        return False
    return True


async def record_at_rest(ground: Ground, entry: Entry, result: Result) -> None:
    """The same when the session has ended; one that never began has no record."""
    try:
        if (live := ground.live(entry.session)) is not None:
            await live.ended.wait()
        async with ground.store.open(entry.session, ground.contact) as db:
            if await _on_record(ground, entry) is None:  # what could not be written may have gone out later
                data = await ground.recorded(entry.session, _data(entry, result))
                await Journal(db).settled(RESULT, data)
    except SessionNotFound:
        _LOG.debug("the session %s has no record of its own: it never began", entry.session)
    except KiroError as error:
        _LOG.warning("the result of the session %s is not on its record: %s", entry.session, error)


async def looked_up(ground: Ground, entry: Entry) -> Result:
    """What is known of a task by the member's own record; never raises."""
    try:
        found = await _on_record(ground, entry) or await left(ground.told(entry.session), entry.key)
        return found or Result("unknown", _CUT_OFF)
    except SessionNotFound:
        return Result("unknown", _NEVER)
    except KiroError as error:
        return Result("unknown", f"{_CUT_OFF} Its record cannot be read: {error}")


def letter_of(entry: Entry, result: Result, hops: int) -> Letter:
    """The letter that tells a parent."""
    text, cut = result.text, len(result.text) - LETTER_CHARACTERS
    if cut > 0:
        note = f"[The beginning is left out; the record of the session {entry.session} has all of it.]\n"
        text = note + text[cut + len(note) :]
    about = {"session": entry.session, "name": entry.kept.name, "outcome": result.outcome, "task": entry.kept.task}
    return Letter(entry.letter, "", entry.session, entry.kept.name, "result", text, hops, about)


async def tell_parent(ground: Ground, entry: Entry, letter: Letter) -> bool:
    """Put the letter into the parent's inbox; whether it is there."""
    try:
        await post(ground, entry.parent, letter)
    except KiroError as error:
        _LOG.info("the session %s is not told the result of %s yet: %s", entry.parent, entry.session, error)
        return False
    return True


async def keep(ground: Ground, roster: Roster) -> None:
    """Write who the members of a parent are, and what became of them, durable on return.

    Raises:
        KiroError: it is not written; where the parent is not open, since somebody else holds it, say.

    """
    live = ground.live(roster.parent)
    async with roster.writing:
        if live is not None:
            await live.keep(roster.to_json())
            return
        async with ground.store.open(roster.parent, ground.contact) as db:
            await db.put_info(replace(db.info, crew=await ground.recorded(roster.parent, roster.to_json())))


async def settle(ground: Ground, roster: Roster, entry: Entry) -> None:
    """The parent was told: its metadata say so, now or with their next change."""
    entry.kept.outcome = entry.outcome
    try:
        await keep(ground, roster)
    except KiroError as error:
        _LOG.info("the session %s: it is not written yet what came of its members: %s", roster.parent, error)


async def _on_record(ground: Ground, entry: Entry) -> Result | None:
    found: Result | None = None
    records = cast("AsyncGenerator[Record, None]", ground.store.read(entry.session))
    async with aclosing(records):
        async for each in records:
            if (item := readable(each)) is not None and item.kind == RESULT:
                told = _converted(item.value)
                found = Result(told.outcome, told.text) if told and told.task == entry.kept.tasks else found
    return found


def _data(entry: Entry, result: Result) -> dict[str, Any]:
    return {"task": entry.kept.tasks, "outcome": result.outcome, "text": result.text}


def _converted(value: Any) -> _Recorded | None:
    try:
        return msgspec.convert(value, _Recorded)
    except msgspec.ValidationError:
        return None
