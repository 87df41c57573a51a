"""What is pending in the store for one session, and the one way to settle it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Any

import anyio

from kiro_core.errors import RecordInvalid, Unavailable
from kiro_core.lazily import LazyLock
from kiro_core.types import Message

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_LOG = logging.getLogger(__name__)
_STORE_S = 5.0
_RETRY_S = 1.0

Recording = Callable[[Sequence[str]], Awaitable[None]]
"""Writes a record that settles the messages that it is given."""


class Pending:
    """The messages that the store has for a session."""

    def __init__(self, session: Session) -> None:
        """Look when asked to."""
        self._session = session
        self._settling = LazyLock()

    async def messages(self) -> Sequence[Message]:
        """What is not settled, in the order in which it came.

        Raises:
            Unavailable, Fenced, RecordInvalid: as the store says.

        """
        with anyio.move_on_after(_STORE_S):
            return await self._session.db.pending()
        raise Unavailable(f"The store did not tell what is in the inbox within {_STORE_S:g} s.")

    async def settle(self, ids: Sequence[str], record: Recording) -> None:
        """Have `record` write what settles those of these messages that are pending.

        Of one whose record went out later than its writer was told, nothing is left to settle.

        Raises:
            Unavailable, Fenced: it may have been written or not.

        """
        if not ids:
            await record(())
            return
        async with self._settling:
            await self._session.storing.recovered()
            try:
                await record(await self._of(ids))
            except ValueError:  # what was repeated in front of this record has settled some
                await record(await self._of(ids))

    async def patiently(self, verb: Callable[[], Awaitable[Any]]) -> Any:
        """Do it as soon as the store can: nobody sends again what came."""
        while True:
            try:
                return await verb()
            except Unavailable as error:
                _LOG.debug("session %s: its inbox waits for the store: %s", self._session.plan.info.id, error)
                await anyio.sleep(_RETRY_S)

    async def _of(self, ids: Sequence[str]) -> Sequence[str]:
        try:
            pending = {message.id for message in await self.messages()}
        except RecordInvalid:
            return ()
        return [name for name in ids if name in pending]
