"""One object that says what became of a run, for people, programs and agents alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, get_args

from kiro_core.crew.events import Outcome

if TYPE_CHECKING:
    from kiro_core.crew.schedule import Schedule
    from kiro_core.crew.state import Attempt, Phase, StageState
    from kiro_core.types import Usage

_NONE: Mapping[tuple[str, int], str] = MappingProxyType({})

RunOutcome = Literal["running", "waiting", "succeeded", "failed", "timed_out", "limited", "cancelled", "unknown"]


@dataclass(frozen=True, slots=True)
class AttemptReport:
    """One attempt of a stage; times are RFC 3339 in UTC, empty where there is none yet, like `outcome`.

    `session` is the id of the child in which it ran, as far as one was opened.
    """

    number: int
    outcome: str
    started: str
    ended: str
    error: str
    session: str = ""


@dataclass(frozen=True, slots=True)
class StageReport:
    """What became of a stage.

    `outcome` is empty until it has settled, `phase` says how far it is (see `StageState`): "unknown" also where it
    was at work when its process ended. `started` is that of its
    first attempt, `ended` that of its last one. `result` is that of its last success, `error` what failed in its last
    attempt, `reason` why it came out so where no attempt says it, as the end of a sentence. `usage` is that of all its
    attempts that have ended, as far as their agents told it.
    """

    id: str
    phase: Phase
    outcome: Outcome | Literal[""]
    attempts: Sequence[AttemptReport]
    started: str
    ended: str
    result: str
    error: str
    reason: str
    usage: Usage


@dataclass(frozen=True, slots=True)
class RunReport:
    """What became of a run: one entry a stage, in the order of the crew.

    `totals` counts stages, attempts, and the stages of each outcome; `usage` is that of all stages. `outcome` is
    "running" until all have settled, or "waiting" where nobody drives it and where all that is left waits for a choice;
    then why the run ended early, if it did and left something undone; else "failed" if any stage did or ran out of
    time, else "unknown" or "cancelled" if any is that, else "succeeded". `ended` is empty until all have settled.
    """

    run: str
    name: str
    outcome: RunOutcome
    started: str
    ended: str
    stages: Sequence[StageReport]
    totals: Mapping[str, int]
    usage: Usage

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)


def report(
    schedule: Schedule, run: str = "", children: Mapping[tuple[str, int], str] = _NONE, *, driven: bool = True
) -> RunReport:
    """The report of a run, which may still go on where it is `driven`.

    `run` is its id, `children` are sessions by stage and attempt.
    """
    outcomes = list(schedule.outcomes.values())
    attempts = sum(len(state.attempts) for state in schedule.states.values())
    return RunReport(
        run=run,
        name=schedule.crew.name,
        outcome=run_outcome(schedule, driven=driven),
        started=_time(schedule.began),
        ended=_time(schedule.last) if schedule.done else "",
        stages=[
            _stage(stage, state, children, phase_of(state, driven=driven)) for stage, state in schedule.states.items()
        ],
        totals={"stages": len(schedule.states), "attempts": attempts}
        | {outcome: outcomes.count(outcome) for outcome in get_args(Outcome)},
        usage=schedule.usage,
    )


def phase_of(state: StageState, *, driven: bool) -> Phase:
    """See `StageReport.phase`."""
    return "unknown" if state.phase == "running" and not driven else state.phase


def run_outcome(schedule: Schedule, *, driven: bool = True) -> RunOutcome:
    """See `RunReport.outcome`."""
    if not schedule.done:
        return "running" if driven and not schedule.waits else "waiting"
    found = set(schedule.outcomes.values())
    if schedule.ending and found & {"cancelled", "timed_out", "unknown"}:
        return schedule.ending
    if found & {"failed", "timed_out"}:
        return "failed"
    return "unknown" if "unknown" in found else "cancelled" if "cancelled" in found else "succeeded"


def _stage(stage: str, state: StageState, children: Mapping[tuple[str, int], str], phase: Phase) -> StageReport:
    attempts = [_attempt(attempt, children.get((stage, attempt.number), "")) for attempt in state.attempts]
    return StageReport(
        id=stage,
        phase=phase,
        outcome=state.outcome if state.phase == "settled" else "",
        attempts=attempts,
        started=attempts[0].started if attempts else "",
        ended=attempts[-1].ended if attempts else "",
        result=state.result,
        error=state.error,
        reason=state.reason,
        usage=state.usage,
    )


def _attempt(attempt: Attempt, session: str) -> AttemptReport:
    ended = "" if attempt.ended is None else _time(attempt.ended)
    return AttemptReport(attempt.number, attempt.outcome, _time(attempt.started), ended, attempt.error, session)


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
