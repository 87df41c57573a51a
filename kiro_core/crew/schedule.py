"""Says which stages of a crew start, and when; it does nothing itself, so that every run can be tried without one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import structs

from kiro_core.crew.course import Course
from kiro_core.crew.events import AttemptOutcome, Choice, Ending, Event, Outcome, Policy
from kiro_core.errors import RecordInvalid
from kiro_core.types import NO_USAGE, Usage

if TYPE_CHECKING:
    from kiro_core.crew.stages import Crew, Stage
    from kiro_core.crew.state import StageState


class Schedule:
    """A run of a crew. Whoever runs it asks what to do, does it, and tells what happened.

    What is told comes back as an event, to be put on record before anything follows from it. Every stage settles
    exactly once, at most `max_parallel` run at a time, and whatever is told, the run ends. Times are seconds since
    1970; one that lies before an earlier one counts as that.
    """

    def __init__(self, crew: Crew, began: float) -> None:
        """`crew` was checked (`load_crew`).

        Raises:
            ValueError: it was not, and its stages wait for each other in a circle.

        """
        self.crew = crew
        self.began = began
        self._course = Course(crew, began)

    @classmethod
    def replay(cls, crew: Crew, began: float, events: Iterable[Event]) -> Schedule:
        """The run as it was behind these events. Nobody runs what ran then: `resume` says what becomes of it.

        Raises:
            RecordInvalid: the events are not those of a run of this crew.

        """
        schedule = cls(crew, began)
        for event in events:
            try:
                schedule._course.apply(event)
            except ValueError as error:
                raise RecordInvalid(
                    f"This is no record of a run of the crew {crew.name!r}: {error}.",
                    hint="The crew is not the one of the run, or the record is damaged.",
                ) from error
        return schedule

    @property
    def states(self) -> Mapping[str, StageState]:
        """How far each stage is, by id, in the order of the crew."""
        return MappingProxyType(self._course.states)

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """What became of the stages that settled, in the order in which they did; it only grows."""
        return MappingProxyType(self._course.outcomes)

    @property
    def ending(self) -> Ending:
        """Why the run ends early: "cancelled", "timed_out", "limited", or empty."""
        return self._course.ending

    @property
    def last(self) -> float:
        """When the last event happened, or the run began."""
        return self._course.last

    @property
    def usage(self) -> Usage:
        """What all attempts used that have settled."""
        return sum((state.usage for state in self.states.values()), NO_USAGE)

    @property
    def unknown(self) -> Sequence[str]:
        """The stages that wait for `answered`: nobody knows what became of them. The others go on meanwhile."""
        return [stage for stage, state in self.states.items() if state.phase == "unknown"]

    @property
    def waits(self) -> bool:
        """Whether nothing goes on before somebody has chosen for a stage that is unknown."""
        at_work = (one for one, state in self.states.items() if state.phase == "running" or self._course.is_due(one))
        return bool(self.unknown) and next(at_work, None) is None

    @property
    def done(self) -> bool:
        """Whether every stage has settled."""
        return len(self.outcomes) == len(self.states)

    def ready(self, now: float) -> Sequence[Stage]:
        """The stages to start now, in the order of the crew; each is to be told as `started`."""
        at = max(now, self.last)
        due = [one for one in self.crew.stages if self._course.is_due(one.id) and self.states[one.id].due <= at]
        return due[: self._course.free()]

    def overdue(self, now: float) -> Mapping[str, AttemptOutcome]:
        """The running stages that have to be ended now, and as what each is then to be told as `settled`."""
        if self.ending:
            outcome: AttemptOutcome = "timed_out" if self.ending == "timed_out" else "cancelled"
            return {stage: outcome for stage, state in self.states.items() if state.phase == "running"}
        at = max(now, self.last)
        return {
            stage: "timed_out"
            for stage, deadline in _attempt_deadlines(self.crew, self.states).items()
            if deadline <= at
        }

    def next_due(self, now: float) -> float | None:
        """When there may be something to do next unless something is told before; None: only then.

        What is due at `now` is left out: `tick`, `overdue` and `ready` have said it.
        """
        at = max(now, self.last)
        deadlines = [*_attempt_deadlines(self.crew, self.states).values(), self._deadline()]
        due = [state.due for stage, state in self.states.items() if self._course.is_due(stage)]
        return min((time for time in (*deadlines, *due) if at < time < inf), default=None)

    def started(self, stage: str, now: float) -> Event:
        """A stage that is `ready` is being started; its next attempt has begun.

        Raises:
            ValueError: it is not ready.

        """
        state = self.states.get(stage)
        attempt = len(state.attempts) + 1 if state else 0
        return self._told(Event(kind="started", at=now, stage=stage, attempt=attempt))

    def settled(  # noqa: PLR0913 - what there is to say of an attempt
        self, stage: str, attempt: int, outcome: AttemptOutcome, text: str, now: float, *, usage: Usage = NO_USAGE
    ) -> Event:
        """What became of an attempt that runs, or of which nothing was known; `text` is its result, or what failed.

        Raises:
            ValueError: the stage has no such attempt that could still settle.

        """
        event = Event(kind="settled", at=now, stage=stage, attempt=attempt, outcome=outcome, text=text)
        return self._told(structs.replace(event, usage=usage or None))

    def answered(self, stage: str, choice: Choice, now: float) -> Event:
        """Somebody chose for a stage that is `unknown`: it runs again, or the others go on without it.

        Raises:
            ValueError: it is not unknown.

        """
        return self._told(Event(kind="answered", at=now, stage=stage, choice=choice))

    def resume(self, policy: Policy, now: float) -> Event:
        """Go on after `replay`: what ran then is `unknown`, and with the policy "retry" runs again.

        That is not counted as a retry. What was cut off three times in a row stays unknown: it may be what ends us.
        """
        return self._told(Event(kind="resumed", at=now, choice=policy))

    def cancel(self, now: float) -> Event:
        """Start nothing any more; what runs is `overdue`, and everything else that has not settled is cancelled."""
        return self._told(Event(kind="cancelled", at=now))

    def tick(self, now: float, running: Usage = NO_USAGE) -> Event | None:
        """Look whether the run has used more than it may, or its time is over; if so, it ends as it does with `cancel`.

        `running` is what the attempts used that have not settled.
        """
        if self.crew.limits is not None and not self._is_ending and self.crew.limits.below(self.usage + running):
            return self._told(Event(kind="limited", at=now))
        is_over = max(now, self.last) >= self._deadline()
        return self._told(Event(kind="timed_out", at=now)) if is_over else None

    def _deadline(self) -> float:
        """Of the whole run, as long as that matters."""
        return inf if self._is_ending else self.began + (self.crew.timeout_s or inf)

    @property
    def _is_ending(self) -> bool:
        return bool(self.ending) or self.done

    def _told(self, event: Event) -> Event:
        event = structs.replace(event, at=max(event.at, self.last))
        self._course.apply(event)
        return event


def _attempt_deadlines(crew: Crew, states: Mapping[str, StageState]) -> Mapping[str, float]:
    """When the time of each attempt that runs is over."""
    limits = {stage.id: stage.timeout_s or inf for stage in crew.stages}
    running = {stage: state.attempts[-1] for stage, state in states.items() if state.phase == "running"}
    return {stage: attempt.started + limits[stage] for stage, attempt in running.items()}
