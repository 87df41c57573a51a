"""A run in words: a line for each stage, and the report at its end."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from kiro_core.cli.text import one_line
from kiro_core.types import RunView, StageView

_STATES = {"unknown": "cut off", "timed_out": "out of time"}
_WAITING = "waiting for `crew resume`"


def worded(state: str) -> str:
    """The phase or the outcome of a stage in one or two words."""
    return _STATES.get(state, state)


def outcome_words(outcome: str) -> str:
    """The outcome of a run in a few words."""
    return _WAITING if outcome == "waiting" else worded(outcome)


def state_of(stage: StageView) -> str:
    """How far a stage is, in one or two words."""
    return worded(stage.outcome or stage.phase)


def took(stage: StageView, now: float) -> str:
    """How long its last attempt has taken, or takes already; empty before the first one."""
    if stage.started is None:
        return ""
    seconds = int(max((now if stage.ended is None else stage.ended) - stage.started, 0))
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


def last_of(stage: StageView) -> str:
    """What it does, or why it came out so."""
    again = f"attempt {stage.attempts}" if stage.attempts > 1 else ""
    said = stage.activity if stage.phase == "running" else stage.reason
    return one_line(": ".join(filter(None, (again, said))))


def stage_line(stage: StageView) -> str:
    """What has become of a stage, in a line of its own; of one that waits, why it runs again."""
    if stage.phase == "waiting":
        return f"{stage.id}: runs again: {stage.reason}" if stage.reason else f"{stage.id}: sends the work back"
    reason = "" if stage.phase == "running" else stage.reason
    again = f" (attempt {stage.attempts})" if stage.phase == "running" and stage.attempts > 1 else ""
    return ": ".join(filter(None, (stage.id, f"{state_of(stage)}{again}", reason)))


def spent(usage: Mapping[str, Any]) -> str:
    """Tokens and money in a few words (the fields of `Usage`); empty where no agent told of it."""
    tokens = [f"{usage['total_tokens']:,} tokens".replace(",", " ")] if usage["total_tokens"] else []
    cost = [f"{amount:.2f} {currency}" for currency, amount in usage["cost"].items()]
    of_kiro = [f"{usage['credits']:.2f} credits"] if usage["credits"] else []
    return ", ".join([*tokens, *cost, *of_kiro])


def news(before: RunView | None, view: RunView) -> Iterator[str]:
    """A line for each stage that stands otherwise than before; of those that wait, for whose attempt has just ended."""
    known = {stage.id: (stage.phase, stage.outcome, stage.attempts) for stage in before.stages} if before else {}
    for stage in view.stages:
        now = (stage.phase, stage.outcome, stage.attempts)
        # An outcome that is final now was told when it came.
        told = known.get(stage.id, ("waiting", "", 0))
        has_ended = before is not None and (told[0] == "running" or told[2] != now[2])
        if stage.phase == "waiting" and not has_ended:
            continue
        if now != told and not (stage.outcome and now[1:] == told[1:]):
            yield stage_line(stage)


def report_text(view: RunView, report: Mapping[str, Any]) -> Iterator[str]:
    """The report for a person, line by line: how each stage came out, and what each came to."""
    yield f"{one_line(view.name)}: {outcome_words(report['outcome'])}"
    now = time.time()
    width = max(len(stage.id) for stage in view.stages)
    for stage in view.stages:
        lasted = took(stage, now) if stage.ended is not None or stage.phase == "running" else ""
        said = "; ".join(filter(None, (spent(asdict(stage.usage)), last_of(stage))))
        yield f"  {stage.id:{width}}  {state_of(stage):11}  {lasted:>10}  {said}".rstrip()
    if used := spent(report["usage"]):
        yield f"Used: {used}"
    for told in report["stages"]:
        if told["result"]:
            yield from ("", f"{told['id']}:", told["result"])
