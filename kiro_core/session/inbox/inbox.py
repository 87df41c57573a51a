"""The letters of one session. What is pending in the store is unread, and only a record of the session settles it."""

from __future__ import annotations

import logging
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Final

import anyio
from anyio.lowlevel import checkpoint_if_cancelled

from kiro_core.crew.letters import letter_of
from kiro_core.errors import KiroError, RecordInvalid, Unavailable
from kiro_core.frames import Frame
from kiro_core.journal import prompted
from kiro_core.lazily import LazyEvent, LazyLock
from kiro_core.session.inbox.expiring import Expiring
from kiro_core.session.inbox.fronting import Telling, Untold
from kiro_core.session.inbox.pending import Pending, Recording
from kiro_core.session.inbox.waking import Wakes
from kiro_core.session.inbox.wording import counted, notification
from kiro_core.types import Letter, Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_LOG = logging.getLogger(__name__)


class Inbox:
    """What came and was not read, oldest first; `changed` is set, and made anew, when some came or were read.

    A letter is unread while it is pending in the store. It is *delivered* once in a life of the session: recorded, and
    told to clients. It is read, or expires, in the same append as the record that says so.
    """

    def __init__(self, session: Session) -> None:
        """Look for nothing yet."""
        self.changed: anyio.Event = LazyEvent()
        self.untold: Final = Untold()
        self._session = session
        self._unread: dict[str, Letter] = {}
        self._looking = LazyLock()
        self._reading = LazyLock()
        self._pending = Pending(session)
        self._expiring = Expiring(session, self._pending)
        self._wakes = Wakes(session, self)

    @property
    def unread(self) -> Sequence[Letter]:
        """The letters that were delivered and not read, oldest first."""
        return list(self._unread.values())

    @property
    def hops(self) -> int:
        """How many letters led to the turn that runs; 0 where a person prompted, and where none runs."""
        turns = self._session.turns
        return prompted(turns.running.asked).hops if turns is not None and turns.running is not None else 0

    async def read(self, limit: int = 0, only: Container[str] | None = None) -> Sequence[Letter]:
        """Read the oldest letters, `limit` of them or all; with `only`, none but those of these ids.

        That they are read is durable on return. Who is cancelled meanwhile has read nothing. What is read while a turn
        runs is told with the next prompt, unless that turn ends well: whoever asked may be gone before the answer.

        Raises:
            Unavailable, Fenced: it could not be recorded, and they stay unread.

        """
        await self._look()
        async with self._reading:
            letters = [letter for letter in self._unread.values() if only is None or letter.id in only]
            letters = letters[:limit] if limit else letters
            ids = [letter.id for letter in letters]
            if letters:
                with anyio.CancelScope(shield=True):
                    await self._pending.settle(ids, partial(self._record_read, ids))
                await checkpoint_if_cancelled()
                if self._session.running_turn:
                    self.untold.asked(letters)
                self._forget(ids)
        return letters

    async def expire(self) -> Sequence[Letter]:
        """Give up all that is unread, of a session that nobody will go on with; whoever sent it is told.

        Raises:
            Unavailable, Fenced: it could not be recorded; what was not given up is still unread.

        """
        with suppress(RecordInvalid):
            await self._look()
        letters = self.unread
        for letter in letters:
            await self._expiring.expire(letter)
            self._forget([letter.id])
        return letters

    async def telling(self, prompt: Frame) -> Telling:
        """What the agent is told of letters with that prompt, also of those that have just come.

        Raises:
            Fenced: the session is another owner's.

        """
        try:
            await self._look()
        except (Unavailable, RecordInvalid) as error:
            _LOG.warning("session %s: its inbox cannot be read now: %s", self._session.plan.info.id, error)
        return self.untold.telling(prompt, self.unread)

    async def begin(self, telling: Telling, record: Recording) -> None:
        """Have `record` write that a turn begins which tells that; it is given what it settles.

        Raises:
            Unavailable, Fenced: the letters stay unread.

        """
        await self._pending.settle(telling.messages, record)
        self.untold.begun(telling.parts)
        self._forget(telling.messages)

    def finished(self, telling: Telling, *, whole: bool) -> None:
        """The agent has finished a turn that told it that; it was not cancelled where it is `whole`."""
        self.untold.finished(telling, whole=whole)

    def turn_ended(self) -> None:
        """See whether what came meanwhile begins a turn."""
        if self._unread:
            self._session.tools.store.wake(self._session.plan.info.id)

    async def run(self) -> None:
        """Deliver what comes, and have it begin turns, until cancelled; ends by itself where the inbox is no use."""
        session = self._session
        try:
            if session.plan.loaded:
                self._wakes.pass_over(await self._pending.patiently(self._pending.messages))
            await session.opened.wait()
            while session.ready:
                await session.db.woken()
                await self._pending.patiently(self._look)
                await self._pending.patiently(self._wakes.wake)
        except RecordInvalid as error:
            await session.tell(Notice("inbox_unreadable", f"Messages to this session cannot be read: {error}"))
        except KiroError as error:
            session.fail(error)

    async def _look(self) -> None:
        """Deliver what is new, or let it expire.

        Raises:
            Unavailable, Fenced, RecordInvalid: as the store says.

        """
        async with self._looking:
            found = await self._pending.messages()
            for letter in [letter_of(message) for message in found if message.id not in self._unread]:
                if self._expiring.is_due(letter):
                    await self._expiring.expire(letter)
                else:
                    await self._deliver(letter)

    async def _deliver(self, letter: Letter) -> None:
        session = self._session
        self._unread[letter.id] = letter
        self._change()
        unread = counted(self.unread)
        shown = notification(session.plan.info.id, session.metadata.info.name, session.journal.filtered(unread))
        try:
            await session.journal.event("message", {**asdict(letter), "unread": unread}, shows=(shown,))
        except Unavailable:
            session.clients.publish(0, (shown,))
        if letter.kind == "escalation":
            sentence = f"{letter.name or letter.sender or 'Somebody'} needs a person: {letter.text}"
            await session.tell(Notice("escalation", sentence, details={"sender": letter.sender, "name": letter.name}))

    async def _record_read(self, ids: Sequence[str], consume: Sequence[str]) -> None:
        journal, turn = self._session.journal, self._session.running_turn
        await journal.settled("message_read", {"ids": ids}, turn, consume=consume)

    def _forget(self, ids: Sequence[str]) -> None:
        for name in ids:
            self._unread.pop(name, None)
        if ids:
            self._change()

    def _change(self) -> None:
        self.changed.set()
        self.changed = LazyEvent()
