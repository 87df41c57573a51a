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


class Errands(Generic[T]):
    """What is being done; those that want the same, by its key, wait for one errand."""

    def __init__(self, tasks: TaskGroup) -> None:
        """Do it in `tasks`."""
        self._tasks = tasks
        self._shared: dict[str, _Errand[T]] = {}

    async def seen_through(
        self, work: Callable[[], Awaitable[T]], unwanted: Callable[[T], Awaitable[None]], key: str = ""
    ) -> T:
        """What `work` returns; when all who wait for it are cancelled, `unwanted` gets it.

        Without a key it is not shared.

        Raises:
            Exception: what `work` raises.
            ToolFailure: EXECUTION_ERROR, the server ends.

        """
        errand = self._shared.get(key)
        if errand is None:
            errand = _Errand(work, unwanted)
            if key:
                self._shared[key] = errand
            self._tasks.start_soon(self._run, errand, key)
        errand.wanted += 1
        try:
            await errand.over.wait()
        except anyio.get_cancelled_exc_class():
            errand.wanted -= 1
            if errand.over.is_set() and not errand.wanted:
                self._tasks.start_soon(errand.undo)
            raise
        return errand.result()

    async def _run(self, errand: _Errand[T], key: str) -> None:
        try:
            await errand.run()
        finally:
            self._shared.pop(key, None)
            errand.over.set()
        if not errand.wanted:
            await errand.undo()


class _Errand(Generic[T]):
    """`wanted` counts those who wait for the result, and those who have got it."""

    def __init__(self, work: Callable[[], Awaitable[T]], unwanted: Callable[[T], Awaitable[None]]) -> None:
        self.over = anyio.Event()
        self.wanted = 0
        self._work = work
        self._unwanted = unwanted
        self._results: list[T] = []
        self._error: Exception = ToolFailure("EXECUTION_ERROR", "The server is ending.", hint="Start it again.")

    async def run(self) -> None:
        try:
            self._results.append(await self._work())
        except Exception as error:  # noqa: BLE001 - it is raised again where somebody waits for it
            self._error = error

    def result(self) -> T:
        if not self._results:
            raise self._error
        return self._results[0]

    async def undo(self) -> None:
        if not self._results:
            _LOG.debug("what nobody waited for failed: %s", self._error)
            return
        try:
            await self._unwanted(self._results[0])
        except Exception:  # noqa: BLE001 - nobody waits for it
            _LOG.warning("what nobody wanted could not be undone", exc_info=True)
