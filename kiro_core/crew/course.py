"""What each event changes; the same events always come to the same, so that a run can be taken up from its record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kiro_core.crew.plan import plan
from kiro_core.crew.state import Phase, StageState, why_skipped
from kiro_core.types import NO_USAGE

if TYPE_CHECKING:
    from kiro_core.crew.events import AttemptOutcome, Ending, Event, Outcome
    from kiro_core.crew.stages import Crew, Loop, Stage

MAX_CUT_OFF = 3
"""A stage that was cut off so often in a row may be why, and runs again only when somebody says so."""

_ENDINGS: Mapping[str, Ending] = {"cancelled": "cancelled", "timed_out": "timed_out", "limited": "limited"}
_WHY_CANCELLED: Mapping[Ending, str] = {
    "cancelled": "the run was cancelled",
    "timed_out": "the time of the run was over",
    "limited": "the run had used more than it may",
}


class Course:
    """A run as far as it has come: the `states` of all stages, and the `outcomes` of those that settled, in turn."""

    def __init__(self, crew: Crew, began: float) -> None:
        """`crew` was checked; `began` is seconds since 1970.

        Raises:
            ValueError: the stages wait for each other in a circle.

        """
        self.stages: Mapping[str, Stage] = {stage.id: stage for stage in crew.stages}
        self.states: Final = dict.fromkeys(self.stages, StageState())
        self.outcomes: dict[str, Outcome] = {}
        self.ending: Ending = ""
        self.last: float = began
        self._max_parallel = crew.max_parallel
        self._plan = plan(crew.stages)
        self._changes: Mapping[str, Callable[[Event], None]] = {
            "started": self._start,
            "settled": self._settle,
            "answered": self._answer,
            "resumed": self._resume,
            "cancelled": self._end,
            "timed_out": self._end,
            "limited": self._end,
        }

    def apply(self, event: Event) -> None:
        """Take in one event.

        Raises:
            ValueError: it cannot have happened here; nothing has changed.

        """
        self._changes[event.kind](event)
        self.last = event.at
        self._skip()
        self._make_final()

    def free(self) -> int:
        """How many more stages may run at a time."""
        return self._max_parallel - sum(state.phase == "running" for state in self.states.values())

    def is_due(self, stage: str) -> bool:
        """Whether a stage runs as soon as its time has come and there is room."""
        is_waiting = self.states[stage].phase == "waiting"
        return is_waiting and all(self.states[other].is_over for other in self._plan.waits[stage])

    def _start(self, event: Event) -> None:
        state = self._state(event, "waiting")
        is_ready = self.is_due(event.stage) and event.at >= state.due and self.free() > 0
        if not is_ready or event.attempt != len(state.attempts) + 1:
            raise _misplaced(event)
        self.states[event.stage] = state.began(event.at)

    def _settle(self, event: Event) -> None:
        state = self._state(event, "running", "unknown")
        if not event.outcome or event.attempt != len(state.attempts):
            raise _misplaced(event)
        state = state.closed(event.at, event.outcome, event.text, event.usage or NO_USAGE)
        stage = self.stages[event.stage]
        if event.outcome == "succeeded" and stage.loop is not None and stage.loop.trigger in event.text:
            self._send_back(event.stage, state, stage.loop)
        else:
            self.states[event.stage] = self._judged(stage, state, event.outcome, event.at)

    def _judged(self, stage: Stage, state: StageState, outcome: AttemptOutcome, at: float) -> StageState:
        """What becomes of a stage after an attempt."""
        if outcome == "unknown" and not self.ending:
            return replace(state, phase="unknown")
        if outcome in ("failed", "timed_out"):
            state = replace(state, failures=state.failures + 1)
            if state.failures <= stage.retry.times and not self.ending:
                return state.again(at + stage.retry.wait_s(state.failures))
        return state.ended(outcome)

    def _send_back(self, stage: str, state: StageState, loop: Loop) -> None:
        if self.ending:
            self.states[stage] = state.ended("cancelled", f"it sends the work back, and {_WHY_CANCELLED[self.ending]}")
        elif state.sent_back == loop.max_iterations:
            reason = f"its result still has {loop.trigger!r} after the work was sent back as often as it may be"
            self.states[stage] = state.ended("failed", f"{reason} ({loop.max_iterations})")
        else:
            self.states[stage] = replace(state, sent_back=state.sent_back + 1)
            for one in self._plan.bodies[stage]:
                self.states[one] = self.states[one].fresh(asked_by=stage if one == loop.target else "")

    def _answer(self, event: Event) -> None:
        state = self._state(event, "unknown")
        skipped = state.ended("skipped", "somebody chose to go on without it")
        self.states[event.stage] = state.again() if event.choice == "retry" else skipped

    def _resume(self, event: Event) -> None:
        for stage, state in self.states.items():
            if state.phase == "running":
                cut = state.closed(event.at, "unknown")
                self.states[stage] = self._judged(self.stages[stage], cut, "unknown", event.at)
        for stage, state in self.states.items():
            if event.choice == "retry" and state.phase == "unknown" and state.cut_off < MAX_CUT_OFF:
                self.states[stage] = state.again()

    def _end(self, event: Event) -> None:
        self.ending = self.ending or _ENDINGS[event.kind]
        for stage, state in self.states.items():
            if state.phase == "waiting":
                self.states[stage] = state.ended("cancelled", _WHY_CANCELLED[self.ending])
            elif state.phase == "unknown":
                self.states[stage] = state.ended("unknown", _WHY_CANCELLED[self.ending])

    def _skip(self) -> None:
        """Give those an outcome that will not run, each behind all that it waits for."""
        for stage in self._plan.order:
            if self.is_due(stage):
                outcomes = {one: self.states[one].outcome for one in self.stages[stage].depends_on}
                if reason := why_skipped(self.stages[stage], outcomes):
                    self.states[stage] = self.states[stage].ended("skipped", reason)

    def _make_final(self) -> None:
        """Settle what ended and no loop can take back."""
        for stage in self._plan.order:
            state = self.states[stage]
            is_final = all(self.states[end].is_over for end in self._plan.loops[stage])
            if state.phase == "ended" and state.outcome and is_final:
                self.states[stage] = replace(state, phase="settled")
                self.outcomes[stage] = state.outcome

    def _state(self, event: Event, *phases: Phase) -> StageState:
        state = self.states.get(event.stage)
        if state is None or state.phase not in phases:
            raise _misplaced(event)
        return state


def _misplaced(event: Event) -> ValueError:
    attempt = f" (attempt {event.attempt})" if event.attempt else ""
    message = f"{event.kind!r} does not fit the stage {event.stage!r}{attempt}"
    return ValueError(message)
