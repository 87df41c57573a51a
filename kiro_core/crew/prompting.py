"""What the agent of a stage is told: its prompt with what came before, and why it is at work again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.crew.state import StageState, became
from kiro_core.crew.template import fill

if TYPE_CHECKING:
    from kiro_core.crew.schedule import Schedule


def prompt_of(schedule: Schedule, stage: str) -> str:
    """The prompt of the next or present attempt of a stage whose dependencies have ended.

    Where a stage that it refers to did not succeed, this is said in the place of its result, and in front of what it
    said all the same. To whom work was sent back it is said by whom, behind the prompt, with that stage's result.

    Raises:
        KeyError: the crew has no such stage.

    """
    states = schedule.states
    written = {each.id: each.prompt for each in schedule.crew.stages}[stage]
    prompt = fill(written, schedule.crew.task, lambda other: _result(other, states[other]))
    back = states[stage].asked_by
    if not back:
        return prompt
    return f"{prompt}\n\nYou have done this before, and {back!r} sends it back:\n\n{states[back].result}"


def _result(stage: str, state: StageState) -> str:
    if state.outcome in ("succeeded", ""):
        return state.result
    cause = " ".join(part for part in (state.reason, state.error) if part)
    told = f"[No success: {became(stage, state.outcome)}{f': {cause}' if cause else ''}]"
    return f"{told}\n\n{state.result}" if state.result else told
