"""The requests of the other side: each in a task of its own, each answered, each open to being cancelled."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

import anyio
from anyio.abc import TaskGroup, TaskStatus

from kiro_core.errors import KiroError, RpcError
from kiro_core.frames import Frame
from kiro_core.rpc.wording import CANCELLED, INTERNAL_ERROR, exact, failure

_LOG = logging.getLogger(__name__)
_OPEN_REQUESTS = 1000
"""More at once are refused, by the reader itself: who asks and never reads the answers slows only itself."""


class Serving:
    """The requests that are being answered; two may carry one id, since nothing makes a peer count well."""

    def __init__(
        self, answer: Callable[[Frame], Awaitable[Frame]], reply: Callable[[list[Frame]], Awaitable[None]]
    ) -> None:
        """Ask `answer` for each response and write it with `reply`, under the request's id."""
        self._answer = answer
        self._reply = reply
        self._open: dict[anyio.CancelScope, bytes] = {}
        self._answered = anyio.Event()

    async def begin(self, frame: Frame, tasks: TaskGroup) -> None:
        """Serve a request in `tasks`; return once its handler has run up to its first wait.

        A `session/cancel` in the next line then finds the prompt that it is meant for.
        """
        if len(self._open) < _OPEN_REQUESTS:
            await tasks.start(self._serve, frame)
            return
        error = RpcError(INTERNAL_ERROR, f"{_OPEN_REQUESTS} requests are open already.", hint="Wait for answers.")
        await self._reply([failure(error).with_id(frame.id or b"null")])

    def cancel(self, id_: bytes | None) -> None:
        """Cancel what is open under that id, if anything; it is answered with -32800."""
        for scope, open_id in self._open.items():
            if open_id == id_:
                scope.cancel()

    async def finished(self) -> None:
        """Wait until every request is answered."""
        while self._open:
            await self._answered.wait()

    async def _serve(self, frame: Frame, *, task_status: TaskStatus[None]) -> None:
        response = Frame.failure(CANCELLED, "The request was cancelled.")
        scope = anyio.CancelScope()
        self._open[scope] = id_ = frame.id or b"null"
        try:
            with scope:
                task_status.started()
                response = await self._response(frame)
            # No wait between the handler's return and this write: what a handler schedules for
            # "after the answer" then comes after the answer.
            await self._reply([exact(response).with_id(id_)])
        finally:
            del self._open[scope]
            self._answered.set()
            self._answered = anyio.Event()

    async def _response(self, frame: Frame) -> Frame:
        try:
            return await self._answer(frame)
        except Exception as error:  # noqa: BLE001 - the wire is a boundary: a request never goes unanswered
            if not isinstance(error, KiroError):
                _LOG.exception("a request failed: %s", frame.method)
            return failure(error)
