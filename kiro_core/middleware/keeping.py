"""Have one middleware for as long as a session is open: entered and left by one task, each in bounded time.

That task is not the session's: what the middleware leaves open in it ends with it.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from kiro_core.errors import KiroError, unwrapped
from kiro_core.middleware.failing import FAILS, Failing, Own, single
from kiro_core.ports import Layer, Middleware
from kiro_core.types import SessionInfo

_LOG = logging.getLogger(__name__)
_VERBS = ("agent", "client", "record")


@asynccontextmanager
async def kept(
    middleware: Middleware, info: SessionInfo, failing: Failing, limit_s: float, failed: Callable[[KiroError], None]
) -> AsyncIterator[Layer]:
    """Enter it, and leave it when the block is left; `failed` is told when it ends before.

    Raises on entering:
        Vetoed, MiddlewareFailed: it does not let the session open.

    """
    keeper = _Keeper(middleware, info, failing, limit_s, failed)
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(keeper.run)
            try:
                yield await keeper.entered()
            finally:
                with anyio.CancelScope(shield=True):
                    await keeper.left()


class _Keeper:
    def __init__(
        self,
        middleware: Middleware,
        info: SessionInfo,
        failing: Failing,
        limit_s: float,
        failed: Callable[[KiroError], None],
    ) -> None:
        self._middleware = middleware
        self._info = info
        self._failing = failing
        self._limit_s = limit_s
        self._failed = failed
        self._layer: Layer | None = None
        self._error: BaseException | None = None
        self._own: Own | None = None
        self._scope = anyio.CancelScope()
        self._decided = anyio.Event()
        self._leaving = anyio.Event()
        self._over = anyio.Event()

    async def entered(self) -> Layer:
        await self._decided.wait()
        if self._layer is None:
            raise self._own or self._failing.raised("enter", None)
        return self._layer

    async def left(self) -> None:
        """Have it left within its time, or not entered any more."""
        self._leaving.set()
        self._scope.deadline = anyio.current_time() + self._limit_s
        if not self._decided.is_set():
            self._scope.cancel()
        await self._over.wait()

    async def run(self) -> None:
        leak = None
        try:
            async with anyio.create_task_group() as tasks:
                self._scope = tasks.cancel_scope
                self._scope.shield = True
                self._scope.deadline = anyio.current_time() + self._limit_s
                if not self._leaving.is_set():
                    tasks.start_soon(self._live)
        except ExceptionGroup as group:
            leak = group
        self._own = self._verdict(leak)
        if self._own is not None and self._decided.is_set() and not self._leaving.is_set():
            self._failed(self._own)
        self._decided.set()
        self._over.set()

    async def _live(self) -> None:
        try:
            async with self._middleware.enter(self._info) as layer:
                if missing := [verb for verb in _VERBS if not hasattr(layer, verb)]:
                    self._own = self._failing.wrong("enter", layer, f"a Layer with {' and '.join(missing)}")
                    return
                self._layer = layer
                self._scope.deadline = float("inf")
                self._decided.set()
                await self._leaving.wait()
        except FAILS as error:  # a middleware fails in any way it likes
            self._error = single(error)

    def _verdict(self, leak: Exception | None) -> Own | None:
        """What went wrong, if anything did; that the session is not opened after all is not the middleware's fault."""
        late = anyio.current_time() >= self._scope.deadline
        seam = "leave" if self._leaving.is_set() else "its own work" if self._decided.is_set() else "enter"
        if leak is not None:
            return self._failing.leaked(seam, leak)
        if self._error is not None:
            fails = self._failing.of if seam == "enter" else self._failing.raised
            return fails(seam, self._error)
        if self._own is None and late and (self._layer is not None or seam == "enter"):
            return self._failing.late(seam, self._limit_s)
        if self._own is None and not self._leaving.is_set():
            return self._failing.raised(seam, None)
        return self._own
