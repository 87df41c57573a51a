"""Letters that nobody will read: recorded as such, and told to whoever sent them."""

from __future__ import annotations

import logging
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from kiro_core.crew.letters import body_of
from kiro_core.errors import InboxFull, RecordInvalid, SessionNotFound
from kiro_core.session.inbox.pending import Pending
from kiro_core.types import Letter, SessionId

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_LOG = logging.getLogger(__name__)
_SHORT = 200


class Expiring:
    """Lets letters of one session expire."""

    def __init__(self, session: Session, pending: Pending) -> None:
        """Settle them there."""
        self._session = session
        self._pending = pending

    def is_due(self, letter: Letter) -> bool:
        """Whether it has waited for longer than the setting `crew.message_days` allows."""
        try:
            came = datetime.fromisoformat(letter.at)
            return datetime.now(UTC) - came > timedelta(days=self._session.tools.message_days)
        except (ValueError, TypeError):  # no time, or one without a zone
            return False

    async def expire(self, letter: Letter) -> None:
        """Record that nobody reads it, and settle it; its sender learns of it first, since both may be repeated.

        Raises:
            Unavailable, Fenced: it stays unread.

        """
        await self._tell_sender(letter)
        journal = self._session.journal
        await self._pending.settle(
            [letter.id], lambda consume: journal.settled("message_expired", asdict(letter), consume=consume)
        )

    async def _tell_sender(self, letter: Letter) -> None:
        session = self._session.plan.info.id
        if letter.kind == "expired" or letter.sender in ("", session):
            return
        about = {"session": session, "id": letter.id, "kind": letter.kind}
        name = f"{session}:expired:{sha256(letter.id.encode()).hexdigest()[:16]}"
        called = self._session.metadata.info.name
        text = self._session.journal.filtered(letter.text)[:_SHORT]
        told = Letter(name, "", session, called, "expired", text, letter.hops, about)
        try:
            await self._session.tools.store.put(SessionId(letter.sender), name, body_of(told))
        except (SessionNotFound, InboxFull, RecordInvalid) as error:
            _LOG.info("session %s: %s could not be told that a message expired: %s", session, letter.sender, error)
        else:
            await self._session.desk.wake(SessionId(letter.sender))
