"""How a run of a crew stands, as hosts are shown it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from kiro_core.types import RunView, StageView
from kiro_mcp.service.views import Question


@dataclass(frozen=True, slots=True)
class StageState:
    """One stage: `phase` and `outcome` as `StageView` has them.

    `result` is there when the run is done; `error` is what failed.
    """

    id: str
    phase: str
    outcome: str
    attempts: int
    session_id: str
    activity: str
    error: str
    result: str = ""


@dataclass(frozen=True, slots=True)
class RunState:
    """`state` is another text when a stage or the outcome has changed; what stages do at the moment changes nothing.

    `is_driven` tells that this desk drives it. `question` is what a stage asks of the host.
    """

    run: str
    name: str
    outcome: str
    state: str
    is_driven: bool
    stages: Sequence[StageState]
    question: Question | None = None

    @property
    def is_done(self) -> bool:
        """Whether all stages have settled."""
        return self.outcome not in ("running", "waiting")

    def interrupts(self, after: str) -> bool:
        """Whether whoever waits for it, and knows the state `after`, has to be told."""
        return self.is_done or not self.is_driven or self.question is not None or after not in ("", self.state)

    def with_report(self, report: Mapping[str, Any]) -> RunState:
        """The same with what each stage came to."""
        told = {stage["id"]: stage for stage in report["stages"]}
        stages = [
            replace(stage, result=told[stage.id]["result"], error=told[stage.id]["error"] or told[stage.id]["reason"])
            for stage in self.stages
        ]
        return replace(self, stages=stages)


def state_of(view: RunView, question: Question | None) -> RunState:
    """What a host is told of a view."""
    steps = [(stage.id, stage.phase, stage.outcome, stage.attempts) for stage in view.stages]
    state = hashlib.sha256(repr((view.outcome, steps)).encode()).hexdigest()[:12]
    stages = [_stage(stage) for stage in view.stages]
    return RunState(view.run, view.name, view.outcome, state, view.live, stages, question)


def _stage(stage: StageView) -> StageState:
    error = "" if stage.phase == "running" else stage.reason
    return StageState(stage.id, stage.phase, stage.outcome, stage.attempts, stage.session, stage.activity, error)
