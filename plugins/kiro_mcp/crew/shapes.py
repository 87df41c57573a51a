"""How members, letters and stages are told to a model, and what they are as structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from kiro_core.types import Letter, Member
from kiro_mcp.service.showing import one_line

_SHORT = 120


def member_line(member: Member) -> str:
    """A member in a line: `Alice [working], agent writer, group docs: its task (runs the tests)`."""
    state = ", ".join(filter(None, (member.status, member.outcome)))
    about = [f"{name} {value}" for name, value in (("agent", member.agent), ("group", member.group)) if value]
    head = ", ".join([f"{member.name} [{state}]", *about])
    doing = f" ({member.doing})" if member.doing else ""
    return f"{head}: {_short(member.task)}{doing}"


def member_text(member: Member) -> str:
    """The same with its result, as far as there is one."""
    return "\n".join(filter(None, (member_line(member), quoted(member.result))))


def quoted(text: str) -> str:
    """What another agent wrote, so that it passes for nothing else."""
    return "\n".join(f"> {line}" for line in text.splitlines())


def member_shape(member: Member) -> dict[str, Any]:
    """All that is known of a member but where it stands in the tree."""
    return {name: value for name, value in asdict(member).items() if name != "depth"}


def letter_text(letter: Letter) -> str:
    """A letter with a line in front that tells of whom it is."""
    sender = one_line(letter.name or letter.sender) or "a person"
    if letter.sender:
        sender = f"{sender}, session {one_line(letter.sender)}"
    outcome = letter.about.get("outcome")
    kind = f"{letter.kind}: {one_line(str(outcome))}" if outcome else letter.kind
    return f"From {sender} ({kind}), {letter.at}:\n{quoted(letter.text)}"


def letter_shape(letter: Letter) -> dict[str, Any]:
    """A letter without how many led to it."""
    told = asdict(letter)
    del told["hops"]
    return {**told, "about": dict(letter.about)}


def told_stages(report: Mapping[str, Any], takers: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """Of each stage its outcome and sessions, and what it came to.

    `takers` are by stage those that are given its result; where all of them have succeeded, theirs are enough.
    """
    well = {stage["id"] for stage in report["stages"] if stage["outcome"] == "succeeded"}
    passed_on = {stage for stage, others in takers.items() if others and well.issuperset(others)}
    return [_stage(stage, passed_on=stage["id"] in passed_on) for stage in report["stages"]]


def report_text(run: str, outcome: str, stages: Sequence[Mapping[str, Any]]) -> str:
    """The outcome of a run and of its stages, as `told_stages` has them."""
    parts = [f"The run {run}: {outcome}."]
    for stage in stages:
        said = stage["result"] or stage["error"]
        parts.append("\n".join(filter(None, (f"## {stage['stage']}: {stage['outcome']}", quoted(said)))))
    return "\n\n".join(parts)


def _stage(stage: Mapping[str, Any], *, passed_on: bool) -> dict[str, Any]:
    outcome = stage["outcome"] or stage["phase"]
    succeeded = outcome == "succeeded"
    return {
        "stage": stage["id"],
        "outcome": outcome,
        "result": stage["result"] if succeeded and not passed_on else "",
        "error": "" if succeeded else stage["error"] or stage["reason"],
        "sessions": [attempt["session"] for attempt in stage["attempts"] if attempt["session"]],
    }


def counted(number: int, one: str, many: str) -> str:
    """`1 letter`, `2 letters`."""
    return f"1 {one}" if number == 1 else f"{number} {many}"


def listed_or(lines: Sequence[str], none: str) -> str:
    """Lines, or what to say where there are none."""
    return "\n".join(lines) if lines else none


def _short(task: str) -> str:
    line = one_line(task)
    return line if len(line) <= _SHORT else f"{line[:_SHORT]}..."
