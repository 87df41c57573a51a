"""What a run goes on with when the desk that drove it is gone: nothing that has ended is done again."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from kiro_core.crew.child import task_key
from kiro_core.crew.course import MAX_CUT_OFF
from kiro_core.crew.said import Result, Said, judged, read_said
from kiro_core.crew.usage import used
from kiro_core.errors import CrewInvalid, SessionNotFound
from kiro_core.types import NO_USAGE, SessionId, Usage

if TYPE_CHECKING:
    from kiro_core.crew.events import Choice, Event, Policy
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.record import Past


def chosen(rerun: Sequence[str], skip: Sequence[str]) -> dict[str, Choice]:
    """What becomes of stages that were cut off.

    Raises:
        CrewInvalid: one is to run again and to be left out.

    """
    if both := [stage for stage in rerun if stage in skip]:
        raise CrewInvalid(
            f"The stage {both[0]!r} cannot run again and be left out.", hint="Choose one of the two.", stage=both[0]
        )
    return {**dict.fromkeys(rerun, "retry"), **dict.fromkeys(skip, "skip")}


async def taken_up(
    past: Past, ground: Ground, choices: Mapping[str, Choice], policy: Policy, now: float
) -> AsyncGenerator[Event, None]:
    """The events with which a run goes on, each to be put on record before the next is asked for.

    An attempt whose turn has ended on its child's own record came to that. One whose agent never got the prompt runs
    again. All others are unknown: `choices` say what becomes of them, by stage, and then `policy`.

    Raises:
        CrewInvalid: a choice is for a stage that does not wait for one.
        RecordInvalid, Unavailable: the record of a child cannot be read.

    """
    schedule = past.schedule
    untouched: list[str] = []
    running: list[tuple[float, str, int, Said]] = []
    for stage, state in schedule.states.items():
        if state.phase in ("running", "unknown"):
            last = state.attempts[-1]
            said = await _said(past, stage, last.number, ground)
            if not said.begun and said.is_whole:
                untouched.append(stage)
            if state.phase == "running":
                running.append((_heard(said, last.started, now), stage, last.number, said))
    for heard, stage, attempt, said in sorted(running, key=lambda one: one[0]):
        usage = await _used(past, stage, attempt, ground)
        yield schedule.settled(stage, attempt, *_came(said), heard, usage=usage)
    yield schedule.resume("ask", now)
    _require_unknown(choices, schedule.unknown)
    for stage, choice in choices.items():
        yield schedule.answered(stage, choice, now)
    for stage in untouched:
        if stage in schedule.unknown and schedule.states[stage].cut_off < MAX_CUT_OFF:
            yield schedule.answered(stage, "retry", now)
    if policy == "retry" and schedule.unknown:
        yield schedule.resume("retry", now)


async def _said(past: Past, stage: str, attempt: int, ground: Ground) -> Said:
    session = past.children.get((stage, attempt))
    key = task_key(stage, attempt)
    if session is None:
        return Said(key)
    try:
        return await read_said(ground.told(SessionId(session)), key)
    except SessionNotFound:  # somebody deleted it, and with it what it came to
        return Said(key, begun=True)


def _came(said: Said) -> Result:
    came = judged(said.end, said) if said.end is not None and said.is_whole else None
    return came or Result("unknown", "")


def _heard(said: Said, began: float, now: float) -> float:
    """When the last was heard of an attempt: so long it took, whenever the run goes on."""
    return min(max(datetime.fromisoformat(said.at).timestamp(), began), now) if said.at else began


async def _used(past: Past, stage: str, attempt: int, ground: Ground) -> Usage:
    session = past.children.get((stage, attempt))
    try:
        return await used(ground.store.read(SessionId(session))) if session else NO_USAGE
    except SessionNotFound:
        return NO_USAGE


def _require_unknown(choices: Mapping[str, Choice], unknown: Collection[str]) -> None:
    if wrong := [stage for stage in choices if stage not in unknown]:
        waiting = ", ".join(unknown) or "none"
        raise CrewInvalid(
            f"Nothing can be chosen for the stage {wrong[0]!r}: it was not cut off, or it is known what became of it.",
            hint=f"Stages that wait for a choice: {waiting}.",
            stage=wrong[0],
            waiting=list(unknown),
        )
