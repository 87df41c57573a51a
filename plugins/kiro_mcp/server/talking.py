"""The tools with which a host talks to an agent: `kiro_chat` and `kiro_chat_async`."""

from __future__ import annotations

from typing import NotRequired

from mcp_types import InputRequiredResult
from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.asking import resumed
from kiro_mcp.server.progress import Progress
from kiro_mcp.server.tool import Answer, Arguments, Call, Tool
from kiro_mcp.server.waiting import turn_of_the_call
from kiro_mcp.server.words import SESSION, Id, NoticeShape, QuestionShape, notices_of, question_of


class ChatArguments(Arguments):
    """Of `kiro_chat`."""

    message: str = Field(description="What to say to the agent.")
    session_id: Id = SESSION
    stream: bool = Field(default=False, description="Send what is said as progress.")
    skip_prompt_matching: bool = Field(default=False, description="No effect: no prompt is ever added to a message.")


class ChatResult(TypedDict):
    """Of `kiro_chat`; `content` is what was said so far."""

    content: str
    session_id: str
    timestamp: str
    is_complete: bool
    task_id: str
    stop_reason: NotRequired[str]
    question: NotRequired[QuestionShape]
    notices: NotRequired[list[NoticeShape]]


class AsyncArguments(Arguments):
    """Of `kiro_chat_async`."""

    message: str = Field(description="What to say to the agent.")
    session_id: Id = SESSION


class AsyncResult(TypedDict):
    """Of `kiro_chat_async`."""

    task_id: str
    session_id: str
    status: str
    message: str


async def _chat(call: Call, given: ChatArguments) -> Answer:
    task, progress = resumed(call), Progress(call.ctx, text=given.stream)
    if not task:
        async with progress.during():
            task = (await call.service.tasks.start(call.host, given.message, given.session_id)).id
    waited = await turn_of_the_call(call, task, progress)
    if isinstance(waited, InputRequiredResult):
        return waited
    view = waited.view
    result: ChatResult = {
        "content": waited.text,
        "session_id": view.session_id,
        "timestamp": view.completed_at or (waited.chunks[-1].timestamp if waited.chunks else view.created_at),
        "is_complete": view.is_done,
        "task_id": view.id,
    }
    if view.stop_reason:
        result["stop_reason"] = view.stop_reason
    if waited.question is not None:
        result["question"] = question_of(waited.question)
    if notices := notices_of(call.service, view.session_id):
        result["notices"] = notices
    return result


async def _chat_async(call: Call, given: AsyncArguments) -> Answer:
    async with Progress(call.ctx).during():
        view = await call.service.tasks.start(call.host, given.message, given.session_id)
    result: AsyncResult = {
        "task_id": view.id,
        "session_id": view.session_id,
        "status": view.status,
        "message": "The agent has it; kiro_task_status tells how it goes.",
    }
    return result


CHAT = Tool(
    name="kiro_chat",
    title="Chat",
    description="Say something to an agent and wait for its answer. If is_complete is false it goes on:"
    " follow it with kiro_task_status.",
    takes=ChatArguments,
    gives=ChatResult,
    run=_chat,
    destroys=True,
    open_world=True,
)


CHAT_ASYNC = Tool(
    name="kiro_chat_async",
    title="Chat without waiting",
    description="Say something to an agent; returns a task_id at once.",
    takes=AsyncArguments,
    gives=AsyncResult,
    run=_chat_async,
    destroys=True,
    open_world=True,
)
