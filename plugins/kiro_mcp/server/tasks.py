"""The tools with which a host has an eye on its turns: `kiro_task_cancel` and `kiro_task_list`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.tool import Answer, Arguments, Call, Tool
from kiro_mcp.server.words import Id
from kiro_mcp.service.failing import FailureShape
from kiro_mcp.service.views import TaskView

_CANCELLED = "It is being cancelled. If it does not end, kiro_session_end ends its session with the agent program."


class TaskArguments(Arguments):
    """Of `kiro_task_cancel`."""

    task_id: Id = Field(min_length=1, description="The task.")


class CancelResult(TypedDict):
    """Of `kiro_task_cancel`; no success when there was nothing to cancel."""

    success: bool
    task_id: str
    message: str


class ListArguments(Arguments):
    """Of `kiro_task_list`."""

    session_id: Id = Field(default="", description="Only of this session.")
    include_done: bool = Field(default=False, description="Also those that have ended.")


class TaskShape(TypedDict):
    """One task, without what was said."""

    task_id: str
    session_id: str
    status: str
    created_at: str
    started_at: str | None
    completed_at: str | None
    duration_seconds: float | None
    total_bytes_received: int
    chunks_count: int
    last_chunk_index: int
    cancel_requested: NotRequired[bool]
    error: NotRequired[FailureShape]


class ListResult(TypedDict):
    """Of `kiro_task_list`."""

    tasks: list[TaskShape]
    count: int


async def _cancel(call: Call, given: TaskArguments) -> Answer:
    cancelled = await call.service.tasks.cancel(call.host, given.task_id)
    result: CancelResult = {
        "success": cancelled,
        "task_id": given.task_id,
        "message": _CANCELLED if cancelled else "It had ended already.",
    }
    return result


async def _list(call: Call, given: ListArguments) -> Answer:
    views = await call.service.tasks.listed(call.host, given.session_id, include_done=given.include_done)
    result: ListResult = {"tasks": [_shape(view) for view in views], "count": len(views)}
    return result


def _shape(view: TaskView) -> TaskShape:
    shape: TaskShape = {
        "task_id": view.id,
        "session_id": view.session_id,
        "status": view.status,
        "created_at": view.created_at,
        "started_at": view.started_at or None,
        "completed_at": view.completed_at or None,
        "duration_seconds": _duration_s(view),
        "total_bytes_received": view.total_bytes,
        "chunks_count": view.last_chunk_index + 1,
        "last_chunk_index": view.last_chunk_index,
    }
    if view.cancel_requested:
        shape["cancel_requested"] = True
    if view.failure is not None:
        shape["error"] = view.failure.told()
    return shape


def _duration_s(view: TaskView) -> float | None:
    """How long the turn took, or has taken until now."""
    if not view.started_at:
        return None
    until = datetime.fromisoformat(view.completed_at) if view.completed_at else datetime.now(UTC)
    return round((until - datetime.fromisoformat(view.started_at)).total_seconds(), 3)


CANCEL = Tool(
    name="kiro_task_cancel",
    title="Cancel a task",
    description="Cancel what an agent does or has still to do.",
    takes=TaskArguments,
    gives=CancelResult,
    run=_cancel,
    destroys=True,
    repeatable=True,
)


LIST = Tool(
    name="kiro_task_list",
    title="List tasks",
    description="The tasks that are not done.",
    takes=ListArguments,
    gives=ListResult,
    run=_list,
    reads=True,
)
