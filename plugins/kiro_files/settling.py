"""What the owner of a session knows of its inbox: what is pending, what it has settled, and what is noted of that.

The log decides what is settled. Notes in the inbox spare the next owner reading it from the beginning; they stand
behind records that are durable, and whatever keeps them from being written, the next ones say it too.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple

import anyio
from anyio import to_thread

from kiro_core.types import Message
from kiro_files.files import Files
from kiro_files.inbox import locked_inbox, read_inbox
from kiro_files.log import Log
from kiro_files.reading import settled_behind

FAR = 2**20
"""Bytes of the log behind the last note that the next owner may have to read."""


class Found(NamedTuple):
    """The messages of an inbox that are not noted as settled: `pending` ones, and those that the log has `settled`."""

    pending: Collection[str] = ()
    settled: Collection[str] = ()


def find(files: Files, head: int, check: Callable[[], None]) -> Found:
    """What a new owner finds whose log ends with number `head`; the log is read only where there are messages.

    Raises:
        RecordInvalid: the inbox is of a newer format.
        Fenced: `check` raises it where the session is not held any more.
        OSError: the disk failed, or the inbox is to be written and locked for too long.

    """
    contents = read_inbox(files)
    if contents.noted > head:  # the log has lost its end, or is an older copy: these numbers will come again
        with locked_inbox(files) as inbox:
            inbox.note((), head, check)
    if not contents.messages:
        return Found()
    settled = [name for name in settled_behind(files, min(contents.noted, head)) if name in contents.messages]
    return Found(contents.messages.keys() - settled, settled)


class Settling:
    """Keeps what is settled apart from what is pending, whether it is noted or not."""

    def __init__(self, files: Files, found: Found, end: int) -> None:
        """Begin with what was found; the log ends at the offset `end`."""
        self._files = files
        self._pending = set(found.pending)
        self._settled = set(found.settled)
        self._unnoted = dict.fromkeys(found.settled)
        self._noted_to = end - FAR  # the first message is reason enough
        self._reading = anyio.Lock()

    async def pending(self) -> Sequence[Message]:
        """What is in the inbox and not settled, in order of arrival.

        Raises:
            RecordInvalid, OSError: as `find`.

        """
        async with self._reading:
            contents = await to_thread.run_sync(read_inbox, self._files, abandon_on_cancel=True)
            self._settled &= contents.messages.keys()  # what is noted comes back no more
            messages = [message for message in contents.messages.values() if message.id not in self._settled]
            self._pending = {message.id for message in messages}
            return messages

    def knows(self, consumed: Iterable[str]) -> bool:
        """Whether all of these were pending at the last look."""
        return self._pending.issuperset(consumed)

    def settle(self, batch: Sequence[bytes], consumed: Sequence[str], log: Log) -> int:
        """Write a batch that settles pending messages; the number of its last record.

        Raises:
            ValueError: one is not pending, or is named twice; or the batch is empty.
            OSError: as `Log.append`; they are pending still.

        """
        if not batch or len(set(consumed)) < len(consumed) or not self.knows(consumed):
            message = f"Records settle messages that are pending, each once; not these: {', '.join(consumed)}."
            raise ValueError(message)
        head = log.append(batch, consumed)
        self._pending.difference_update(consumed)
        self._settled.update(consumed)
        self._unnoted |= dict.fromkeys(consumed)
        return head

    def due(self, log: Log, check: Callable[[], None]) -> Callable[[], None] | None:
        """What is to be done, and blocks, once the log is durable as far as it reaches now; None for nothing."""
        if not self._unnoted and not (self._pending and log.end - self._noted_to >= FAR):
            return None
        settled, seq, end = tuple(self._unnoted), log.seq, log.end

        def note() -> None:
            if self._noted_to >= end:
                return  # who waited for the same flush has done it
            with locked_inbox(self._files, waits=False) as inbox:
                inbox.note(settled, seq, check)
            self._noted_to = end
            for name in settled:
                self._unnoted.pop(name, None)

        return note
