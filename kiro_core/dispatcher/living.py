"""An open session as its crew sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import anyio

from kiro_core.crew.live import Inbox
from kiro_core.errors import SessionClosing, Unavailable
from kiro_core.frames import Frame
from kiro_core.session import Session
from kiro_core.types import SessionId, SessionInfo


class Living:
    """Implements `kiro_core.crew.live.Live`."""

    def __init__(self, session: Session) -> None:
        """Look at that session."""
        self._session = session

    @property
    def ended(self) -> anyio.Event:
        """See `Live.ended`."""
        return self._session.ended

    @property
    def id(self) -> SessionId:
        """See `Live.id`."""
        return self._session.plan.info.id

    @property
    def info(self) -> SessionInfo:
        """See `Live.info`."""
        session = self._session
        return session.metadata.info if session.ready else session.plan.info

    @property
    def ready(self) -> bool:
        """See `Live.ready`."""
        return self._session.ready and not self._session.closing and self._session.failure is None

    @property
    def turn(self) -> str:
        """See `Live.turn`."""
        return self._session.running_turn

    @property
    def attended(self) -> bool:
        """See `Live.attended`."""
        return self._session.clients.attended

    @property
    def inbox(self) -> Inbox:
        """See `Live.inbox`."""
        return self._session.inbox

    async def keep(self, crew: Mapping[str, Any]) -> None:
        """See `Live.keep`."""
        await self._session.note(crew=crew)
        if self._session.db.info.crew != self._session.metadata.info.crew:
            raise Unavailable(
                f"The crew of the session {self.id} could not be written yet.",
                hint="It is written with the session's next change; see whether the disk is full.",
            )

    async def record(self, kind: str, data: Mapping[str, Any]) -> None:
        """See `Live.record`."""
        if self._session.turns is None:
            raise SessionClosing("The session is not open yet.", hint="Wait until it is.")
        await self._session.journal.settled(kind, data, self._session.running_turn)

    def stir(self) -> None:
        """See `Live.stir`."""
        self._session.stir()

    def filtered(self, value: Any) -> Any:
        """See `Live.filtered`."""
        return self._session.journal.filtered(value) if self._session.turns is not None else value

    def show(self, frames: Sequence[Frame]) -> None:
        """See `Live.show`."""
        self._session.clients.publish(0, [self._session.journal.filtered_frame(frame) for frame in frames])

    async def close(self) -> None:
        """See `Live.close`."""
        await self._session.close()
