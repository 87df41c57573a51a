"""Some things are done to their end although nobody waits any more: half of them would leave something behind."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import anyio
from anyio.abc import TaskGroup

from kiro_mcp.service.failing import ToolFailure

T = TypeVar("T")

_LOG = logging.getLogger(__name__)


async def seen_through(
    tasks: TaskGroup, work: Callable[[], Awaitable[T]], unwanted: Callable[[T], Awaitable[None]] | None = None
) -> T:
    """What `work` returns, which is done in `tasks`; when the caller is cancelled, `unwanted` gets it.

    Raises:
        Exception: what `work` raises.
        ToolFailure: EXECUTION_ERROR, the server ends.

    """
    errand = _Errand(tasks, work, unwanted)
    tasks.start_soon(errand.run)
    try:
        await errand.over.wait()
    except anyio.get_cancelled_exc_class():
        errand.leave()
        raise
    return errand.result()


class _Errand(Generic[T]):
    def __init__(
        self, tasks: TaskGroup, work: Callable[[], Awaitable[T]], unwanted: Callable[[T], Awaitable[None]] | None
    ) -> None:
        self.over = anyio.Event()
        self._tasks = tasks
        self._work = work
        self._unwanted = unwanted
        self._left = False
        self._results: list[T] = []
        self._error: Exception = ToolFailure("EXECUTION_ERROR", "The server is ending.", hint="Start it again.")

    async def run(self) -> None:
        try:
            self._results.append(await self._work())
        except Exception as error:  # noqa: BLE001 - it is raised again where somebody waits for it
            self._error = error
        finally:
            self.over.set()
        if self._left:
            await self._undo()

    def leave(self) -> None:
        """Nobody wants the result."""
        self._left = True
        if self.over.is_set():
            self._tasks.start_soon(self._undo)

    def result(self) -> T:
        if not self._results:
            raise self._error
        return self._results[0]

    async def _undo(self) -> None:
        if not self._results:
            _LOG.debug("what nobody waited for failed: %s", self._error)
        elif self._unwanted is not None:
            try:
                await self._unwanted(self._results[0])
            except Exception:  # noqa: BLE001 - nobody waits for it
                _LOG.warning("what nobody wanted could not be undone", exc_info=True)
