"""What happens during a call, told to a host that asked for it; many wait longer for who tells them something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp.server import ServerRequestContext

from kiro_core.errors import unwrapped
from kiro_mcp.service.showing import shown
from kiro_mcp.service.views import TaskView

APART_S = 0.25
"""What happens is gathered for so long: nobody is told of it any sooner."""
_HEARTBEAT_S = 5.0


class Progress:
    """Progress of one call: numbers that grow by one, and at most four messages a second."""

    def __init__(self, ctx: ServerRequestContext[Any, Any], *, text: bool = False) -> None:
        """Tell the host of this request; with `text` what the agent says, otherwise how much."""
        self._ctx = ctx
        self._waits_longer = "progress_token" in (ctx.meta or {})
        self._text = text
        self._began = anyio.current_time()
        self._told = 0
        self._next = 0.0
        self._unsaid = ""
        self._last = ""

    def patience(self, left_s: float) -> float:
        """How long to wait for something new: not so long that the host takes this call for lost."""
        return min(left_s, _HEARTBEAT_S) if self._waits_longer else left_s

    async def say(self, message: str) -> None:
        """Tell it now; the SDK drops what was not asked for."""
        self._told += 1
        self._next = anyio.current_time() + APART_S
        await self._ctx.session.report_progress(self._told, message=shown(message))

    @asynccontextmanager
    async def during(self, message: str = "") -> AsyncIterator[None]:
        """Tell what is done in this block, if anything is to be said of it, and every few seconds that it goes on."""
        if message:
            await self.say(message)
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                if self._waits_longer:
                    tasks.start_soon(self._beat)
                yield
                tasks.cancel_scope.cancel()

    async def tell(self, view: TaskView) -> None:
        """Tell how a task stands, unless something was told just now; of one that is silent that it goes on."""
        self._unsaid += "".join(chunk.content for chunk in view.chunks) if self._text else ""
        if anyio.current_time() < self._next and not view.is_done:
            return
        if self._unsaid:
            await self.flush()
            return
        happening = _happening(view)
        await self.say(happening if happening != self._last else self._working(view))
        self._last = happening

    async def flush(self) -> None:
        """Tell what the agent said and nobody was told yet."""
        if self._unsaid:
            unsaid, self._unsaid = self._unsaid, ""
            await self.say(unsaid)

    async def _beat(self) -> None:
        while True:
            await anyio.sleep(_HEARTBEAT_S)
            await self.say(self._working())

    def _working(self, view: TaskView | None = None) -> str:
        waits = view is not None and (view.status == "pending" or view.question is not None)
        return f"{'waiting' if waits else 'working'}, {anyio.current_time() - self._began:.0f} s"


def _happening(view: TaskView) -> str:
    if view.question is not None:
        return f"The agent asks: {view.question.title}"
    if view.tools and view.tools[-1].status in ("pending", "in_progress"):
        return view.tools[-1].title
    return f"{view.status}, {view.total_bytes} bytes so far"
