"""A run that a session asked for, and its stages, as others of the tree see them: much as they see members."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kiro_core.types import Member, RunView, SessionId, SessionInfo, StageView

if TYPE_CHECKING:
    from kiro_core.crew.record import Past
    from kiro_core.crew.stages import Stage
    from kiro_core.crew.state import StageState

_SHORT = 8
_STATUS = {"running": "working", "waiting": "blocked", "unknown": "blocked"}


def run_seen(info: SessionInfo, past: Past, view: RunView, depth: int) -> Member:
    """A run, which is called by the beginning of its id; where it has ended, with what its stages came to."""
    schedule = past.schedule
    results = [f"{stage}:\n{state.result or state.error}" for stage, state in schedule.states.items()]
    doing = f"{sum(stage.outcome != '' for stage in view.stages)} of {len(view.stages)} stages are done"
    return Member(
        session=info.id,
        name=info.id[:_SHORT],
        parent=SessionId(info.parent),
        task=schedule.crew.name,
        status="working" if view.live else "terminated",
        created=info.created,
        active=info.updated,
        doing="" if schedule.done else doing if view.live else f"{doing}; it can be resumed",
        outcome=view.outcome if schedule.done else "",
        result="\n\n".join(results) if schedule.done else "",
        depth=depth,
    )


def stages_seen(info: SessionInfo, past: Past, view: RunView, depth: int) -> Sequence[Member]:
    """The stages of a run, below it and called as their sessions are."""
    schedule = past.schedule
    told = zip(schedule.crew.stages, schedule.states.values(), view.stages, strict=True)
    return [_stage(info, stage, state, seen, depth + 1) for stage, state, seen in told]


def _stage(info: SessionInfo, stage: Stage, state: StageState, seen: StageView, depth: int) -> Member:
    return Member(
        session=SessionId(seen.session),
        name=f"{info.id[:_SHORT]}/{stage.id}",
        parent=info.id,
        task=stage.prompt,
        status=_STATUS.get(seen.phase, "terminated"),
        created=info.created,
        active=info.updated,
        agent=stage.agent,
        engine=stage.engine,
        doing=seen.activity if seen.phase == "running" else "",
        outcome=seen.outcome,
        result=(state.result or state.error) if seen.outcome else "",
        depth=depth,
    )
