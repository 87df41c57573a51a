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
    """How the task stands after the wait, and what was said from the index on that was asked for."""

    view: TaskView
    chunks: list[Chunk] = field(default_factory=list)

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
    """How long, from which chunk on, and whether `once` something was said is enough."""

    seconds: float
    from_chunk: int = 0
    once: bool = False


async def wait_for(call: Call, task_id: str, wait: Wait, progress: Progress) -> Waited | InputRequiredResult:
    """Wait until a task is done, a question is open that the host has to answer itself, or the time is over.

    A person who is asked what no program may answer has `chat_wait_s`, however short the wait is.

    Raises:
        ToolFailure: as `Tasks.follow`.

    """
    waited = await _Waiting(call, task_id, wait, progress).outcome()
    await progress.flush()
    return waited


class _Waiting:
    """One wait of one call."""

    def __init__(self, call: Call, task_id: str, wait: Wait, progress: Progress) -> None:
        self._call = call
        self._task_id = task_id
        self._wait = wait
        self._progress = progress
        self._asking = Asking(call, task_id)
        self._began = anyio.current_time()
        self._chunks: list[Chunk] = []

    async def outcome(self) -> Waited | InputRequiredResult:
        while True:
            over = not self._left_s(self._wait.seconds)
            view = await self._looked()
            enough = over or (self._wait.once and bool(self._chunks))
            if view.is_done or (enough and view.question is None):
                return Waited(view, self._chunks)
            if view.question is not None:
                asked = await self._asked(view.question, enough=enough)
                if isinstance(asked, InputRequiredResult):
                    return asked
                if asked is not Asked.DONE:
                    return Waited(view, self._chunks)

    async def _looked(self) -> TaskView:
        patience_s = self._progress.patience(self._left_s(self._wait.seconds))
        index = self._wait.from_chunk + len(self._chunks)
        gather_s = 0.0 if self._wait.once else APART_S
        view = await self._call.service.tasks.follow(
            self._call.host, self._task_id, index, patience_s, gather_s=gather_s
        )
        self._chunks += view.chunks
        await self._progress.tell(view)
        return view

    async def _asked(self, question: Question, *, enough: bool) -> Asked | InputRequiredResult:
        """Have the question put, unless the host is to be told of it; what is for a person alone is never left open."""
        options = self._call.service.options
        left_s = self._left_s(options.chat_wait_s if question.person_only else self._wait.seconds)
        if not left_s or (enough and not question.person_only):
            return Asked.ALREADY
        asked = await self._asking.ask(question, left_s)
        if asked is Asked.NOT_OFFERED and question.person_only:
            self._call.service.questions.refuse(self._call.host, question.id)
            return Asked.DONE
        return asked

    def _left_s(self, seconds: float) -> float:
        return max(0.0, self._began + seconds - anyio.current_time())


@asynccontextmanager
async def _ending_with_the_call(call: Call, task_id: str) -> AsyncIterator[None]:
    """Cancel the task when the host cancels the call that asked for it."""
    try:
        yield
    except anyio.get_cancelled_exc_class():
        with anyio.move_on_after(_CANCELLED_S, shield=True), suppress(ToolFailure):
            await call.service.tasks.cancel(call.host, task_id)
        raise


async def turn_of_the_call(call: Call, task: str, progress: Progress) -> Waited | InputRequiredResult:
    """What `chat_wait_s` brings; a turn that failed is the call's failure."""
    async with _ending_with_the_call(call, task):
        waited = await wait_for(call, task, Wait(call.service.options.chat_wait_s), progress)
    if isinstance(waited, Waited) and waited.view.failure is not None:
        raise _failed(waited.view, waited.view.failure, waited.text)
    return waited


def _failed(view: TaskView, failure: ToolFailure, said: str) -> ToolFailure:
    """The failure with what to find it by, and with what was said before it."""
    details: dict[str, Any] = {"session_id": view.session_id, "task_id": view.id, "content": said}
    return ToolFailure(failure.code, failure.sentence, hint=failure.hint, details={**details, **failure.details})
