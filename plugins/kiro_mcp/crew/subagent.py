"""The tool with which an agent has a crew work through stages: `subagent`, with the input of Kiro's own."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Literal

import anyio
from mcp_types import CallToolResult
from pydantic import Field

from kiro_core.errors import KiroError
from kiro_core.types import RunView, SessionId
from kiro_mcp.crew.results import returned
from kiro_mcp.crew.shapes import report_text, told_stages
from kiro_mcp.crew.tool import Call, CrewTool
from kiro_mcp.server.progress import APART_S, Progress
from kiro_mcp.server.stages import CrewArguments

_LOG = logging.getLogger(__name__)
_DELIVERED_S = 10.0
_BACKGROUND = "The run {run} has begun. Its report comes to your inbox when it has ended."
_WAITS = (
    "The run {run} cannot go on before a person has looked at it. Its report comes to your inbox when it has ended."
)


class SubagentArguments(CrewArguments):
    """Of `subagent`: a crew, of which Kiro's own names of fields are taken as well."""

    mode: Literal["blocking", "background"] = Field(
        default="blocking", description="In the background its report comes to your inbox."
    )


async def _run(call: Call, given: SubagentArguments) -> CallToolResult:
    run = await call.crew.run(given.fields())
    if given.mode == "background":
        await call.crew.deliver(run)
        return returned(_BACKGROUND.format(run=run), run=run)
    try:
        view = await _followed(call, run)
    except BaseException:
        # Whatever ends this call before the run: the report is not lost.
        await _delivered(call, run)
        raise
    if not view.done:
        await _delivered(call, run)
        return returned(_WAITS.format(run=run), run=run, outcome=view.outcome)
    report = await call.crew.report(run)
    stages = told_stages(report, _takers(given))
    return returned(report_text(run, report["outcome"], stages), run=run, outcome=report["outcome"], stages=stages)


async def _delivered(call: Call, run: SessionId) -> None:
    with anyio.move_on_after(_DELIVERED_S, shield=True):
        try:
            await call.crew.deliver(run)
        except KiroError as error:
            _LOG.warning("the report of the run %s will be in nobody's inbox: %s", run, error)


async def _followed(call: Call, run: SessionId) -> RunView:
    """Wait for the end of a run, and tell what happens in it; how it stood at last."""
    progress = Progress(call.ctx)
    said = ""
    async with progress.during(), aclosing(call.crew.follow(run)) as views:
        async for view in views:
            line = "; ".join(f"{one.id} {one.activity or one.phase}" for one in view.stages if one.phase == "running")
            if line and line != said:
                said = line
                await progress.say(line)
                await anyio.sleep(APART_S)
    return view


def _takers(given: SubagentArguments) -> Mapping[str, Sequence[str]]:
    """By stage those that depend on it."""
    stages = [(stage.called, stage.depends_on) for stage in given.stages]
    return {name: [other for other, before in stages if name in before] for name, _ in stages}


TOOL = CrewTool(
    name="subagent",
    title="Have a crew work",
    description=(
        "Have other agents work through stages, each in a session of its own; stages that do not depend on each other"
        " run at a time. Returns what the last ones came to. A stage has the task and the results of those that it"
        " depends on."
    ),
    takes=SubagentArguments,
    run=_run,
    only_spawns=True,
)
