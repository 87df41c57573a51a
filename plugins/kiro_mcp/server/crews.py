"""The tools with which a host has a crew work: `kiro_crew_run`, `kiro_crew_status` and `kiro_crew_cancel`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, NotRequired, cast

from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.progress import Progress
from kiro_mcp.server.tool import Answer, Arguments, Call, Tool
from kiro_mcp.server.words import Id, QuestionShape, question_of
from kiro_mcp.service.failing import ToolFailure

_CANCELLED = "It is being cancelled."
_ENDED = "It had ended already."


class RunArguments(Arguments):
    """Of `kiro_crew_run`: the fields of a crew file, all of them or the two that matter."""

    crew: dict[str, Any] = Field(default={}, description="All fields of a crew file.")
    task: str = Field(default="", description="What {task} in prompts stands for; alone: one agent does it.")
    stages: list[dict[str, Any]] = Field(
        default=[], description="Instead of crew, its stages: id, prompt, agent, engine, model, depends_on and others."
    )
    session_id: Id = Field(default="", description="The session that asks for it; its questions come here.")
    cwd: str = Field(default="", description="Its folder.")
    engine: str = Field(default="", description="Of stages without one.")


class RunResult(TypedDict):
    """Of `kiro_crew_run`."""

    run: str
    message: str


class StatusArguments(Arguments):
    """Of `kiro_crew_status`."""

    run: Id = Field(min_length=1, description="The run.")
    timeout_s: float = Field(
        default=0, ge=0, allow_inf_nan=False, description="Seconds to wait, at most 50 by default."
    )
    after: str = Field(default="", description="A state: wait for another one, else for the end.")


class StageShape(TypedDict):
    """One stage; `result` when the run is done."""

    id: str
    phase: str
    outcome: str
    attempts: int
    session_id: str
    activity: str
    error: str
    result: str


class RunShape(TypedDict):
    """Of `kiro_crew_status`."""

    run: str
    name: str
    outcome: str
    is_done: bool
    is_driven: bool
    state: str
    stages: list[StageShape]
    question: NotRequired[QuestionShape]


class CancelArguments(Arguments):
    """Of `kiro_crew_cancel`."""

    run: Id = Field(min_length=1, description="The run.")


class CancelResult(TypedDict):
    """Of `kiro_crew_cancel`; no success when there was nothing to cancel."""

    success: bool
    run: str
    message: str


async def _run(call: Call, given: RunArguments) -> Answer:
    if given.crew and given.stages:
        raise ToolFailure("INVALID_COMMAND", "kiro_crew_run takes crew or stages, not both.", hint="Leave one out.")
    if not (given.crew or given.stages or given.task):
        raise ToolFailure("INVALID_COMMAND", "kiro_crew_run needs crew, stages or task.", hint="Give one of them.")
    name = {} if given.crew else {"name": _name(given.task)}
    written = given.crew or {"stages": given.stages or [{"id": "task", "prompt": "{task}"}]}
    crew = {**name, **written, **({"task": given.task} if given.task else {})}
    run = await call.service.crews.run(call.host, crew, session_id=given.session_id, cwd=given.cwd, engine=given.engine)
    result: RunResult = {"run": run, "message": "It has begun; kiro_crew_status tells how it stands."}
    return result


async def _status(call: Call, given: StatusArguments) -> Answer:
    wait_s = min(given.timeout_s, call.service.options.chat_wait_s)
    async with Progress(call.ctx).during():
        found = await call.service.crews.look(call.host, given.run, given.after, wait_s)
    result: RunShape = {
        "run": found.run,
        "name": found.name,
        "outcome": found.outcome,
        "is_done": found.is_done,
        "is_driven": found.is_driven,
        "state": found.state,
        "stages": [cast("StageShape", asdict(stage)) for stage in found.stages],
    }
    if found.question is not None:
        result["question"] = question_of(found.question)
    return result


async def _cancel(call: Call, given: CancelArguments) -> Answer:
    cancelled = await call.service.crews.cancel(call.host, given.run)
    result: CancelResult = {"success": cancelled, "run": given.run, "message": _CANCELLED if cancelled else _ENDED}
    return result


def _name(task: str) -> str:
    """What a crew without a name is called: the first line of its task, as far as it can be shown."""
    first = next(iter(task.splitlines()), "")
    return "".join(sign for sign in first[:60] if sign.isprintable()).strip() or "crew"


RUN = Tool(
    name="kiro_crew_run",
    title="Run a crew",
    description="Have several agents work through stages. Returns at once.",
    takes=RunArguments,
    gives=RunResult,
    run=_run,
    destroys=True,
    open_world=True,
)

STATUS = Tool(
    name="kiro_crew_status",
    title="Follow a run",
    description="How the stages of a run stand, and their results when it is done.",
    takes=StatusArguments,
    gives=RunShape,
    run=_status,
    reads=True,
)

CANCEL = Tool(
    name="kiro_crew_cancel",
    title="Cancel a run",
    description="Cancel what a run does and has still to do.",
    takes=CancelArguments,
    gives=CancelResult,
    run=_cancel,
    destroys=True,
    repeatable=True,
)
