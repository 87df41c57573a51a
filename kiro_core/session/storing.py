"""A session and its store: what is written becomes durable, and while nothing can be written the session waits.

A store that fails (a full disk, say) ends no session: its turns are answered with that error at once,
the agent is told to stop, what it still says is kept unseen, and the next prompt finds out whether
the store takes records again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from kiro_core.errors import KiroError, Unavailable
from kiro_core.frames import Frame
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_LOG = logging.getLogger(__name__)
_WINDOW_S = 0.025


class Storing:
    """The keeper of one session's record."""

    def __init__(self, session: Session) -> None:
        """Keep the record that the session holds."""
        self._session = session
        self._unseen: list[Frame] = []
        self._tasks: TaskGroup | None = None

    async def run(self) -> None:
        """Make durable what was written, as long as the session is held; costs nothing while nothing is written."""
        async with anyio.create_task_group() as tasks:
            self._tasks = tasks
            try:
                tasks.start_soon(self._guarded, self._session.metadata.keep)
                await self._guarded(self._keep)
            finally:
                self._tasks = None

    async def close(self, reason: str) -> None:
        """Write what was left to be written, and that the session has ended; what cannot be is logged."""
        session = self._session
        for last in (partial(session.journal.settled, "closed", {"reason": reason}), session.metadata.write):
            try:
                await last()
            except KiroError as error:
                _LOG.warning("session %s: its end could not be recorded: %s", session.plan.info.id, error)

    async def updates(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        """Record what the agent says; returns what may be shown now, in order: nothing while the store fails.

        Raises:
            Fenced: the lease has ended.

        """
        journal = self._session.journal
        try:
            if journal.failing and not journal.has_room(sum(len(frame.raw) for frame in frames)):
                await journal.flush()
        except Unavailable:
            journal.unrecorded(len(frames))
            return ()
        try:
            await journal.updates(frames)
        except Unavailable:
            self._unseen.extend(frames)
            return ()
        return [*self._seen(), *frames] if self._unseen else frames

    async def recovered(self) -> None:
        """Return when the store takes records, after all that was kept is written and shown.

        Raises:
            Unavailable: it still does not.
            Fenced: the lease has ended.

        """
        if self._session.journal.failing or self._unseen:
            await self._session.journal.flush()
            await self._session.listener.show(self._seen())

    def replayed(self) -> None:
        """Forget what a client is about to be shown from the record."""
        if not self._session.journal.pending:
            self._unseen.clear()

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
            await anyio.sleep(_WINDOW_S)
            try:
                await journal.flush()
            except Unavailable as error:
                _LOG.debug("session %s: %s", self._session.plan.info.id, error)
            else:
                self._show_unseen()

    def _show_unseen(self) -> None:
        # In a task of its own: a slow client must not delay what becomes durable.
        if self._unseen and self._tasks is not None:
            self._tasks.start_soon(self._guarded, self._shown_if_stored)

    async def _shown_if_stored(self) -> None:
        if not self._session.journal.pending:
            await self._session.listener.show(self._seen())

    def _seen(self) -> list[Frame]:
        frames, self._unseen = self._unseen, []
        return frames
