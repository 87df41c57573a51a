"""The tool with which a host follows a turn: `kiro_task_status`."""

from __future__ import annotations

from typing import NotRequired

from mcp_types import InputRequiredResult
from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.asking import resumed
from kiro_mcp.server.progress import Progress
from kiro_mcp.server.tool import Answer, Arguments, Call, Tool, Whole
from kiro_mcp.server.waiting import Wait, Waited, wait_for
from kiro_mcp.server.words import Id, NoticeShape, QuestionShape, notices_of, question_of
from kiro_mcp.service.failing import FailureShape


class StatusArguments(Arguments):
    """Of `kiro_task_status`."""

    task_id: Id = Field(min_length=1, description="As kiro_chat or kiro_chat_async returned it.")
    from_chunk_index: Whole = Field(default=0, ge=0, description="The first chunk that is wanted.")
    wait_s: float = Field(
        default=0, ge=0, allow_inf_nan=False, description="Seconds to wait for something new, at most 50 by default."
    )


class ChunkShape(TypedDict):
    """A piece of an answer."""

    content: str
    index: int
    timestamp: str
    is_final: bool


class ToolShape(TypedDict):
    """A tool call of the agent."""

    title: str
    status: str


class StatusResult(TypedDict):
    """Of `kiro_task_status`; `result` is the whole answer of a task that completed."""

    task_id: str
    session_id: str
    status: str
    is_done: bool
    total_bytes_received: int
    last_chunk_index: int
    new_chunks: list[ChunkShape]
    new_content: str
    tools: list[ToolShape]
    stop_reason: NotRequired[str]
    question: NotRequired[QuestionShape]
    notices: NotRequired[list[NoticeShape]]
    cancel_requested: NotRequired[bool]
    result: NotRequired[str]
    error: NotRequired[FailureShape]


async def _status(call: Call, given: StatusArguments) -> Answer:
    resumed(call)
    wait_s = min(given.wait_s, call.service.options.chat_wait_s)
    wait = Wait(wait_s, from_chunk=given.from_chunk_index, once=True)
    waited = await wait_for(call, given.task_id, wait, Progress(call.ctx))
    if isinstance(waited, InputRequiredResult):
        return waited
    return await _status_of(call, waited)


async def _status_of(call: Call, waited: Waited) -> StatusResult:
    view = waited.view
    result: StatusResult = {
        "task_id": view.id,
        "session_id": view.session_id,
        "status": view.status,
        "is_done": view.is_done,
        "total_bytes_received": view.total_bytes,
        "last_chunk_index": view.last_chunk_index,
        "new_chunks": [
            {"content": one.content, "index": one.index, "timestamp": one.timestamp, "is_final": one.is_final}
            for one in waited.chunks
        ],
        "new_content": waited.text,
        "tools": [{"title": one.title, "status": one.status} for one in view.tools],
    }
    if view.stop_reason:
        result["stop_reason"] = view.stop_reason
    if waited.question is not None:
        result["question"] = question_of(waited.question)
    if notices := notices_of(call.service, view.session_id):
        result["notices"] = notices
    if view.cancel_requested:
        result["cancel_requested"] = True
    if view.status == "completed":
        result["result"] = await call.service.tasks.answer(call.host, view.id)
    if view.failure is not None:
        result["error"] = view.failure.told()
    return result


STATUS = Tool(
    name="kiro_task_status",
    title="Follow a task",
    description="What a task has said from a chunk on, and whether it is done. With wait_s it waits for more.",
    takes=StatusArguments,
    gives=StatusResult,
    run=_status,
    repeatable=True,
)
