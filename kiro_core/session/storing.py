"""A session and its store: what is written becomes durable, and while nothing can be written the session waits.

A store that fails (a full disk, say) ends no session: its turns are answered with that error at once,
the agent is told to stop, what it still says is kept unseen, and the next prompt finds out whether
the store takes records again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from kiro_core.errors import KiroError, Unavailable
from kiro_core.frames import Frame, Run
from kiro_core.session.clients import Item
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_LOG = logging.getLogger(__name__)
_WINDOW_S = 0.025
_TICK_S = 0.005
"""The flushes of many sessions begin together: waking up costs more than the flush of one more log."""


class Storing:
    """The keeper of one session's record."""

    def __init__(self, session: Session) -> None:
        """Keep the record that the session holds."""
        self._session = session
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        """Make durable what was written, as long as the session is held; costs nothing while nothing is written."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            try:
                self._session.metadata.keep(lambda job: tasks.start_soon(self._guarded, job))
                await self._guarded(self._keep)
            finally:
                self._session.metadata.keep(None)
                self._tasks = None

    async def close(self, reason: str) -> None:
        """Write what was left to be written, and that the session has ended; what cannot be is logged."""
        session = self._session
        for last in (partial(session.journal.settled, "closed", {"reason": reason}), session.metadata.write):
            try:
                await last()
            except KiroError as error:
                _LOG.warning("session %s: its end could not be recorded: %s", session.plan.info.id, error)

    async def updates(self, frames: Sequence[Frame], shows: Sequence[Item]) -> None:
        """Record what the agent says, and show it as `shows`; while the store fails it is kept, and shown later.

        Raises:
            Fenced: the lease has ended.

        """
        journal = self._session.journal
        try:
            if journal.failing and not journal.has_room(_size(frames)):
                await journal.flush()
        except Unavailable:
            journal.unrecorded(len(frames))
            return
        with suppress(Unavailable):
            await journal.updates(frames, shows)

    async def recovered(self) -> None:
        """Return when the store takes records, after all that was kept is written.

        Raises:
            Unavailable: it still does not.
            Fenced: the lease has ended.

        """
        if self._session.journal.failing:
            await self._session.journal.flush()

    def failed(self, error: Unavailable) -> None:
        """Answer what runs and what waits; where nobody waits for an answer, tell it."""
        turns = self._session.turns
        if turns is not None and not turns.fail(error) and self._tasks is not None:
            sentence = f"Nothing can be recorded, so no prompt is taken for now. {error}"
            self._tasks.start_soon(self._guarded, partial(self._session.tell, Notice("store_unavailable", sentence)))

    async def _guarded(self, keep: Callable[[], Awaitable[None]]) -> None:
        try:
            await keep()
        except KiroError as error:
            self._session.fail(error)

    async def _keep(self) -> None:
        journal = self._session.journal
        while True:
            await journal.unflushed()
            await anyio.sleep(_until_flush(anyio.current_time()))
            try:
                await journal.flush()
            except Unavailable as error:
                _LOG.debug("session %s: %s", self._session.plan.info.id, error)


def _until_flush(now: float) -> float:
    """Seconds until what is written now is flushed: at the last tick within the window."""
    return (now + _WINDOW_S) // _TICK_S * _TICK_S - now


def _size(frames: Sequence[Frame]) -> int:
    return frames.size if isinstance(frames, Run) else sum(len(frame.raw) for frame in frames)
