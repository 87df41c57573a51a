"""Draws a crew, so that people see what will run before it does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from kiro_core.crew.plan import plan

if TYPE_CHECKING:
    from kiro_core.crew.stages import Crew, Stage


def as_text(crew: Crew) -> str:
    """One line a stage, each behind all that it waits for: who does it, what comes before, where it sends work back."""
    stages = {stage.id: stage for stage in crew.stages}
    width = max(len(stage) for stage in stages)
    lines = (f"{one:{width}}  {'; '.join(_remarks(stages[one]))}".rstrip() for one in plan(crew.stages).order)
    return "".join(f"{line}\n" for line in lines)


def as_mermaid(crew: Crew) -> str:
    """A Mermaid flowchart: solid lines for what comes before, with an unusual `when`, and dotted ones for loops."""
    node = {stage.id: f"s{number}" for number, stage in enumerate(crew.stages)}
    lines = ["flowchart TD"]
    for stage in crew.stages:
        who = _who(stage)
        lines.append(f'    {node[stage.id]}["{_label(stage.id)}{f"<br/>{_label(who)}" if who else ""}"]')
    for stage in crew.stages:
        when = "" if stage.when == "all_succeeded" else f"|{stage.when}|"
        lines += [f"    {node[other]} -->{when} {node[stage.id]}" for other in dict.fromkeys(stage.depends_on)]
        if stage.loop is not None:
            lines.append(f'    {node[stage.id]} -. "{_label(_back(stage))}" .-> {node[stage.loop.target]}')
    return "".join(f"{line}\n" for line in lines)


def _remarks(stage: Stage) -> Iterator[str]:
    if who := _who(stage):
        yield who
    if stage.depends_on:
        when = "" if stage.when == "all_succeeded" else f" ({stage.when})"
        yield f"after {', '.join(dict.fromkeys(stage.depends_on))}{when}"
    if stage.loop is not None:
        yield f"back to {stage.loop.target} on {_back(stage)}"


def _who(stage: Stage) -> str:
    parts = {"agent": stage.agent, "engine": stage.engine, "model": stage.model}
    return ", ".join(f"{kind} {name}" for kind, name in parts.items() if name)


def _back(stage: Stage) -> str:
    loop = stage.loop
    return f'"{loop.trigger}", at most {loop.max_iterations}x' if loop else ""


def _label(text: str) -> str:
    """As Mermaid writes any character that could have a meaning (Mermaid, "Entity codes to escape characters")."""
    return re.sub(r"[^\w ,.-]", lambda sign: f"#{ord(sign[0])};", text)
