"""How a run stands, as values that stay true while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import anyio

from kiro_core.crew.reporting import phase_of, run_outcome
from kiro_core.types import RunView, SessionId, StageView

if TYPE_CHECKING:
    from kiro_core.crew.record import Children, Past
    from kiro_core.crew.schedule import Schedule
    from kiro_core.crew.state import StageState


def view_of(past: Past, run: SessionId, *, driven: bool = True) -> RunView:
    """A run as its schedule has it now."""
    schedule = past.schedule
    stages = _stages(schedule, past.children, driven=driven)
    return RunView(run, schedule.crew.name, run_outcome(schedule, driven=driven), stages)


class Standing:
    """How a run that is driven stands, as far as that is on record; `changed` is set, and made anew, each time."""

    def __init__(self, past: Past, run: SessionId) -> None:
        """Begin with what is on record; `look` again when that is more."""
        self.changed: anyio.Event = anyio.Event()
        self._past = past
        self._run = run
        self._recorded = view_of(past, run)
        self._activity: dict[str, str] = {}

    def look(self) -> None:
        """All that has happened so far is on record now."""
        self._recorded = view_of(self._past, self._run)
        self.change()

    def heard(self, session: str, line: str) -> None:
        """A child did something."""
        self._activity[session] = line
        self.change()

    def change(self) -> None:
        """Wake who waits for `changed`."""
        self.changed.set()
        self.changed = anyio.Event()

    def view(self, *, live: bool) -> RunView:
        """It, with what each child did last."""
        stages = [replace(one, activity=self._activity.get(one.session, "")) for one in self._recorded.stages]
        return replace(self._recorded, stages=stages, live=live)


def _stages(schedule: Schedule, children: Children, *, driven: bool) -> Sequence[StageView]:
    return [_stage(stage, state, children, phase_of(state, driven=driven)) for stage, state in schedule.states.items()]


def _stage(stage: str, state: StageState, children: Children, phase: str) -> StageView:
    last = state.attempts[-1] if state.attempts else None
    return StageView(
        stage,
        phase,
        state.outcome,
        len(state.attempts),
        last.started if last else None,
        last.ended if last else None,
        session=children.get((stage, last.number), "") if last else "",
        reason=state.reason or state.error,
        usage=state.usage,
    )
