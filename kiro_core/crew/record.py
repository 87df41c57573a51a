"""A run on record: what was asked for and all that happened, so that any desk can go on with it or tell of it.

Its log has these kinds of records, and nothing that follows from one is done before that is on the disk:

- `crew_begun`, the first one: `{crew, engine, began, cwd, hops?}`, the crew with all its fields, the engine of stages
  that name none (or ""), seconds since 1970, and how many letters led to it;
- `crew_event`: what `Event.to_json` gives;
- `crew_child`: `{stage, attempt, session}`, before that session gets its prompt;
- `crew_deliver`: `{}`, when the session that asked for the run wants the report as a letter;
- `crew_ended`: the report, behind that letter.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import msgspec

from kiro_core.crew.document import load_crew
from kiro_core.crew.events import Event
from kiro_core.crew.schedule import Schedule
from kiro_core.errors import RecordInvalid
from kiro_core.journal import Entry, readable
from kiro_core.types import GAP, Record, SessionId

if TYPE_CHECKING:
    from kiro_core.crew.stages import Crew

BEGUN, EVENT, CHILD, DELIVER, ENDED = "crew_begun", "crew_event", "crew_child", "crew_deliver", "crew_ended"

Children = dict[tuple[str, int], str]
"""The sessions of attempts, by stage and number."""


@dataclass(slots=True)
class Past:
    """A run as far as its record tells; `engine` and `hops` are as in `crew_begun`.

    `delivers` tells that the report is to become a letter, `is_over` that the run was concluded.
    """

    schedule: Schedule
    engine: str = ""
    children: Children = field(default_factory=dict)
    delivers: bool = False
    is_over: bool = False
    hops: int = 0


class _Begun(msgspec.Struct):
    crew: dict[str, Any]
    began: float
    engine: str = ""
    hops: int = 0


class _Child(msgspec.Struct):
    stage: str
    attempt: int
    session: str


def begun(past: Past, cwd: str) -> dict[str, Any]:
    """The data of the first record of a run that begins."""
    crew = past.schedule.crew.model_dump(mode="json", exclude_none=True)
    order = {"crew": crew, "engine": past.engine, "began": past.schedule.began, "cwd": cwd}
    return {**order, "hops": past.hops} if past.hops else order


async def past_of(records: AsyncIterator[Record], run: SessionId) -> Past:
    """What the records of a run say; closes `records`.

    Raises:
        RecordInvalid: they are none of a run, are of a newer version, or some of them are lost.
        SessionNotFound, Unavailable: as the store says.

    """
    found = _Found(run)
    async with aclosing(cast("AsyncGenerator[Record, None]", records)) as read:
        async for record in read:
            if (item := readable(record)) is not None:
                found.take(item)
    return found.past()


class _Found:
    """What was found in a record so far."""

    def __init__(self, run: SessionId) -> None:
        self._run = run
        self._orders: list[_Begun] = []
        self._events: list[Event] = []
        self._children: Children = {}
        self._delivers = False
        self._is_over = False

    def take(self, item: Entry) -> None:
        match item.kind:
            case "crew_begun":
                self._orders.append(self._converted(item, _Begun))
            case "crew_event":
                self._events.append(Event.from_json(self._converted(item, dict)))
            case "crew_child":
                child = self._converted(item, _Child)
                self._children[child.stage, child.attempt] = child.session
            case "crew_deliver":
                self._delivers = True
            case "crew_ended":
                self._is_over = True
            case kind if kind == GAP:
                raise _unreadable(self._run, "some of it was damaged and is lost")

    def past(self) -> Past:
        if len(self._orders) != 1:
            raise _unreadable(self._run, "it does not say which crew runs")
        order = self._orders[0]
        schedule = Schedule.replay(_crew(order, self._run), order.began, self._events)
        return Past(schedule, order.engine, self._children, self._delivers, self._is_over, order.hops)

    def _converted(self, item: Entry, kind: Any) -> Any:
        try:
            return msgspec.convert(item.value, kind)
        except msgspec.ValidationError as error:
            raise _unreadable(self._run, str(error)) from error


def _crew(order: _Begun, run: SessionId) -> Crew:
    loaded = load_crew(order.crew)
    if loaded.crew is None:
        raise _unreadable(run, "; ".join(f"{problem.field} {problem.reason}" for problem in loaded.problems))
    return loaded.crew


def _unreadable(run: SessionId, reason: str) -> RecordInvalid:
    return RecordInvalid(
        f"The record of the run {run} cannot be read: {reason}.",
        hint=f"`kiro-core sessions verify {run}` tells whether it is damaged; if not, a newer version wrote it.",
    )
