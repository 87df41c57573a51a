"""The record of a run that is held: what happens is on it before anything follows from that."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from kiro_core.crew.delivering import deliver
from kiro_core.crew.record import BEGUN, CHILD, DELIVER, ENDED, EVENT, Past, begun
from kiro_core.crew.reporting import report
from kiro_core.crew.viewing import Standing
from kiro_core.errors import KiroError, Unavailable
from kiro_core.journal import Journal, utc_now

if TYPE_CHECKING:
    from kiro_core.crew.events import Event
    from kiro_core.crew.ground import Ground
    from kiro_core.ports import SessionDb
    from kiro_core.types import SessionId

_LOG = logging.getLogger(__name__)


class Keeping:
    """A run as far as it has come (`past`), and how it is seen to stand; its methods return when that is durable.

    Each raises:
        Unavailable, Fenced: it is not on record; `failed` was told.
    """

    def __init__(self, ground: Ground, db: SessionDb, past: Past, failed: Callable[[KiroError], None]) -> None:
        """Write behind what is on record already."""
        self.past = past
        self.standing: Final = Standing(past, db.info.id)
        self._ground = ground
        self._db = db
        self._failed = failed
        self._journal = Journal(db, strict=ground.settings.durability == "strict")
        self._is_ending = False

    async def begin(self) -> None:
        """Say what is to be done."""
        await self._record(BEGUN, begun(self.past, self._db.info.cwd))

    async def tell(self, event: Event) -> None:
        """Say what has happened."""
        await self._record(EVENT, event.to_json())
        self.standing.look()

    async def opened(self, stage: str, attempt: int, session: SessionId) -> None:
        """Say in which session an attempt is made."""
        await self._record(CHILD, {"stage": stage, "attempt": attempt, "session": session})
        self.past.children[stage, attempt] = session
        self.standing.look()

    async def deliver(self) -> bool:
        """Have the report become a letter when the run ends; False where it ends already."""
        if self._is_ending:
            return False
        if not self.past.delivers:
            await self._record(DELIVER, {})
            self.past.delivers = True
        return True

    async def conclude(self) -> None:
        """Say that nobody drives it any more, and how it has ended, if it has.

        Raises:
            InboxFull: its report is not delivered, and it has not ended.

        """
        if self.past.schedule.done:
            self._is_ending = True
            told = report(self.past.schedule, self._db.info.id, self.past.children).to_json()
            if self.past.delivers:
                await deliver(self._ground, self._db.info, told, self.past.hops)
            await self._record(ENDED, told)
        try:
            await self._db.put_info(replace(self._db.info, updated=utc_now()))
        except Unavailable as error:
            _LOG.warning("run %s: its metadata could not be written: %s", self._db.info.id, error)

    async def _record(self, kind: str, data: Any) -> None:
        try:
            await self._journal.settled(kind, await self._ground.recorded(self._db.info.id, data))
        except KiroError as error:
            self._failed(error)
            raise
