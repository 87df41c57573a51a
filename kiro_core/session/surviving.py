"""What of a session's agent programs survived being killed: the session stays until that is gone, and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from kiro_core.errors import EndingFailed
from kiro_core.lazily import LazyEvent
from kiro_core.session.changing import first_of

if TYPE_CHECKING:
    from kiro_core.session.session import Session


class Survivors:
    """The processes of one session that nobody could end; each command to close it tries again."""

    def __init__(self, session: Session) -> None:
        """Know of none."""
        self.failed: list[EndingFailed] = []
        self._session = session
        self._tried = LazyEvent()
        self._lasting = anyio.CancelScope(shield=True)

    @property
    def lasts(self) -> bool:
        """Whether the session has ended but for them."""
        return bool(self.failed) and self._tried.is_set()

    async def outlived(self) -> None:
        """Wait until none is left, or they are abandoned."""
        with self._lasting:
            while await self._again():
                self._tried.set()
                await self._session.mailbox.receive()

    def abandon(self) -> None:
        """Wait for them no more: the desk ends."""
        self._lasting.cancel()

    def begin(self) -> None:
        """Take note that somebody wants the session to end, now or again."""
        self._tried = LazyEvent()

    async def decided(self) -> None:
        """Wait until the session has ended or has failed to.

        Raises:
            EndingFailed: something of it survives.

        """
        await first_of(self._tried, self._session.ended)
        if not self._session.ended.is_set():
            raise self.failed[0]

    async def _again(self) -> bool:
        """Try to end them; whether some are still there."""
        trying, self.failed = self.failed, []
        for error in trying:
            try:
                await error.again()
            except EndingFailed as still:
                self.failed.append(still)
        return bool(self.failed)
