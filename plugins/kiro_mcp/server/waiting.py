"""A call waits for a turn: the host is told what happens, and its person asked what the agent asks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import anyio
from mcp_types import InputRequiredResult

from kiro_mcp.server.asking import Asked, Asking
from kiro_mcp.server.progress import APART_S, Progress
from kiro_mcp.server.tool import Call
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.views import Chunk, Question, TaskView

_CANCELLED_S = 5.0


@dataclass(slots=True)
class Waited:
    """How the task stands after the wait, and what was said from the index on that was asked for.

    `notice` is what a host is told instead of a question that is not for a program.
    """

    view: TaskView
    chunks: list[Chunk] = field(default_factory=list)
    notice: str = ""

    @property
    def text(self) -> str:
        """All of it."""
        return "".join(chunk.content for chunk in self.chunks)

    @property
    def question(self) -> Question | None:
        """What the host has to answer itself."""
        question = self.view.question
        return None if question is not None and question.person_only else question


@dataclass(frozen=True, slots=True)
class Wait:
    """How long, from which chunk on, whether `once` something was said is enough, and whether progress is the text."""

    seconds: float
    from_chunk: int = 0
    once: bool = False
    show_text: bool = False


async def wait_for(call: Call, task_id: str, wait: Wait) -> Waited | InputRequiredResult:
    """Wait until a task is done, a question is open that the host has to answer itself, or the time is over.

    Raises:
        ToolFailure: as `Tasks.follow`.

    """
    asking, progress = Asking(call, task_id), Progress(call.ctx, text=wait.show_text)
    deadline = anyio.current_time() + wait.seconds
    chunks: list[Chunk] = []
    notice = ""
    while True:
        left_s = max(0.0, deadline - anyio.current_time())
        patience_s = progress.patience(left_s)
        gather_s = 0.0 if wait.once else APART_S
        view = await call.service.tasks.follow(
            call.host, task_id, wait.from_chunk + len(chunks), patience_s, gather_s=gather_s
        )
        chunks += view.chunks
        await progress.tell(view)
        if view.question is not None and view.question.person_only:
            notice = view.question.notice
            if not asking.offered:
                call.service.questions.refuse(view.question.id)
                continue
        if view.is_done or not left_s or (wait.once and chunks):
            return Waited(view, chunks, notice)
        if view.question is not None:
            asked = await asking.ask(view.question, left_s)
            if isinstance(asked, InputRequiredResult):
                return asked
            if asked is Asked.NOT_OFFERED:
                return Waited(view, chunks, notice)


@asynccontextmanager
async def _ending_with_the_call(call: Call, task_id: str) -> AsyncIterator[None]:
    """Cancel the task when the host cancels the call that asked for it."""
    try:
        yield
    except anyio.get_cancelled_exc_class():
        with anyio.move_on_after(_CANCELLED_S, shield=True), suppress(ToolFailure):
            await call.service.tasks.cancel(call.host, task_id)
        raise


async def turn_of_the_call(call: Call, task: str, *, show_text: bool = False) -> Waited | InputRequiredResult:
    """What `chat_wait_s` brings; a turn that failed is the call's failure."""
    async with _ending_with_the_call(call, task):
        waited = await wait_for(call, task, Wait(call.service.options.chat_wait_s, show_text=show_text))
    if isinstance(waited, Waited) and waited.view.failure is not None:
        raise _failed(waited.view, waited.view.failure, waited.text)
    return waited


def _failed(view: TaskView, failure: ToolFailure, said: str) -> ToolFailure:
    """The failure with what to find it by, and with what was said before it."""
    details: dict[str, Any] = {"session_id": view.session_id, "task_id": view.id, "content": said}
    return ToolFailure(failure.code, failure.sentence, hint=failure.hint, details={**details, **failure.details})
