"""Letters that come to an idle session begin a turn, each at most once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Protocol

from kiro_core.errors import SessionBusy, SessionClosing
from kiro_core.session.inbox.wording import prompt_of
from kiro_core.types import Letter, Message

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_LOG = logging.getLogger(__name__)


class Unread(Protocol):
    """What wakes need of the inbox."""

    @property
    def unread(self) -> Sequence[Letter]:
        """See `Inbox.unread`."""
        ...


class Wakes:
    """Begins turns in one session."""

    def __init__(self, session: Session, inbox: Unread) -> None:
        """Nothing was passed over yet."""
        self._session = session
        self._inbox = inbox
        self._passed: set[str] = set()

    def pass_over(self, messages: Iterable[Message]) -> None:
        """These were there when the session was opened: they wait for a turn that somebody asks for."""
        self._passed = {message.id for message in messages}

    async def wake(self) -> None:
        """Begin a turn, if none runs or waits and something came that is to be answered and has not begun one yet.

        Raises:
            Unavailable: the store takes no prompt, so none was accepted.

        """
        if not self._may_wake():
            return
        await self._session.storing.recovered()
        if not self._may_wake():
            return
        letters, before = self._inbox.unread, self._passed
        self._passed = {letter.id for letter in letters}
        try:
            self._session.desk.require_open()
            self._session.resting.stir()
            await self._session.working().prompt(prompt_of(self._session.plan.info.id, letters), set())
        except (SessionClosing, SessionBusy) as error:
            _LOG.debug("session %s is not woken: %s", self._session.plan.info.id, error)
        except BaseException:
            self._passed = before
            raise

    def _may_wake(self) -> bool:
        session = self._session
        turns = session.turns
        if turns is None or turns.open or session.closing or session.refusal is not None:
            return False
        return any(letter.kind != "context" and letter.id not in self._passed for letter in self._inbox.unread)
