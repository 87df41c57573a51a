"""What becomes of members when a session above begins or ends: whatever happens, each of them settles."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import anyio
from anyio.abc import TaskGroup

from kiro_core.crew.members.recovering import recover, repeat, unsettled
from kiro_core.errors import KiroError

if TYPE_CHECKING:
    from kiro_core.crew.live import Live
    from kiro_core.crew.members.asked import Asked
    from kiro_core.types import SessionId, SessionInfo

_LOG = logging.getLogger(__name__)


class Ending:
    """What a desk tells of its sessions."""

    def __init__(self, asked: Asked, tasks: TaskGroup, forget: Callable[[SessionId], None]) -> None:
        """Mend what a crash left out in `tasks`; `forget` is told who has ended."""
        self._trees = asked.trees
        self._asked = asked
        self._tasks = tasks
        self._forget = forget

    async def opening(self, info: SessionInfo) -> None:
        """One that is on record is about to be opened."""
        if info.crew:
            await repeat(self._trees, info)

    def opened(self, session: SessionId) -> None:
        """One was opened: what a crash left out of its members is made up for."""
        live = self._trees.ground.live(session)
        if live is not None and live.info.crew:
            roster = self._trees.roster(live)
            if entries := unsettled(self._trees, roster):
                self._tasks.start_soon(recover, self._trees, entries)

    def occupied(self, session: SessionId) -> bool:
        """Whether members of a session are at work, or wait for their turn, or runs for which it asked go on."""
        works = self._trees.works.values()
        runs = self._asked.of(session)
        return any(not run.is_done for run in runs) or any(
            one.entry.parent == session and not one.is_over for one in works
        )

    async def ending(self, session: SessionId) -> None:
        """One is ending, and its record is still held: return when all below has ended, and it has its own result.

        Whether it does is the setting `crew.children`. With the desk all members end, and runs can be resumed.
        """
        ground, works = self._trees.ground, self._trees.works
        mine = [work for work in works.values() if work.entry.parent == session]
        if ground.settings.crew.children == "end" or not ground.is_open:
            for work in mine:
                work.stop("The session above it has ended.", with_parent=True)
            async with anyio.create_task_group() as closing:
                for live in self._at_rest(session):
                    closing.start_soon(_closed, live)
                if ground.is_open:
                    closing.start_soon(self._asked.ended, self._asked.of(session))
            for work in mine:
                await work.over.wait()
        for work in mine:
            work.let_go()
        own = works.get(session)
        if own is not None and own.begun:
            await own.recorded.wait()

    def begun(self, run: SessionId, session: str) -> None:
        """A run has begun for one that was open; where that has ended meanwhile, so does the run."""
        live = self._trees.ground.live(session)
        if self._trees.ground.settings.crew.children == "end" and (live is None or not live.ready):
            for each in self._asked.of(session):
                if each.id == run:
                    each.cancel()

    def ended(self, session: SessionId) -> None:
        """One has ended."""
        self._forget(session)
        self._trees.ended(session)

    def leave(self) -> None:
        """The desk ends: nothing goes on."""
        for work in list(self._trees.works.values()):
            work.stop("The desk ended.", with_parent=True)
            work.let_go()

    def _at_rest(self, session: SessionId) -> list[Live]:
        """The members of a session that are open and have no task."""
        trees = self._trees
        lives = (trees.ground.live(each) for each in trees.spawned(session) if each not in trees.works)
        return [each for each in lives if each is not None]


async def _closed(live: Live) -> None:
    try:
        await live.close()
    except KiroError as error:
        _LOG.warning("the session %s did not end with the one above it: %s", live.id, error)
