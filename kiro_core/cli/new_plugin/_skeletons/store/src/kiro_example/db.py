"""One session, held: all that its owner may do with it, and nothing behind the block."""

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import anyio
import msgspec
from anyio import to_thread
from kiro_core.errors import Fenced
from kiro_core.types import Contact, Message, Record, SessionId, SessionInfo

from .files import INFO, LOG, OWNER, Batch, Owner, cut, explained, read_batches, read_info, read_letters, replace_file


class FolderDb:
    """Implements `SessionDb`, for who has the lock."""

    def __init__(self, place: Path, session: SessionId, contact: Contact) -> None:
        """Cut what was not written to its end, and begin a new epoch."""
        self._end = cut(place / LOG)
        batches = read_batches(place)
        self._place = place
        self._session = session
        self._settled = {name for batch in batches for name in batch.consume}
        self._left = False
        self._rung, self._heard = 0, -1  # the first `woken` returns at once
        self._bell = anyio.Event()
        self.info = read_info(place)
        self.head = sum(len(batch.bodies) for batch in batches)
        self.epoch = max((batch.epoch for batch in batches), default=0) + 1
        self.lost = anyio.Event()  # never set: the lock is gone when the process is
        replace_file(place / OWNER, Owner(self.epoch, os.getpid(), contact.face, contact.socket))
        self._write(Batch(self.epoch))

    async def append(self, batch: Sequence[bytes], *, consume: Sequence[str] = ()) -> int:
        """See `SessionDb.append`. Nothing here waits, so that of two that append at a time one comes first."""
        self._check()
        with explained(self._session):
            if consume and not (batch and len({*consume}) == len(consume) and self._pending().keys() >= {*consume}):
                raise ValueError(f"Records settle messages that are pending, each once; not {', '.join(consume)}.")
            if batch:
                self._write(Batch(self.epoch, [msgspec.Raw(body) for body in batch], [*consume]))
                self.head += len(batch)
                self._settled.update(consume)
        return self.head

    async def commit(self) -> None:
        """See `SessionDb.commit`."""
        self._check()
        with explained(self._session):
            await to_thread.run_sync(_sync, self._place / LOG)

    async def tail(self, count: int) -> Sequence[Record]:
        """See `SessionDb.tail`; here the cost grows with the log."""
        self._check()
        with explained(self._session):
            records = records_of(await to_thread.run_sync(read_batches, self._place))
        return records[-count:] if count else []

    async def pending(self) -> Sequence[Message]:
        """See `SessionDb.pending`."""
        self._check()
        with explained(self._session):
            return [*(await to_thread.run_sync(self._pending)).values()]

    async def put_info(self, info: SessionInfo) -> None:
        """See `SessionDb.put_info`."""
        self._check()
        with explained(self._session):
            await to_thread.run_sync(partial(replace_file, self._place / INFO, info))
        self.info = info

    async def woken(self) -> None:
        """See `SessionDb.woken`; several may wait, and a ring wakes all of them."""
        self._check()
        if self._heard == self._rung:
            await self._bell.wait()
            self._check()
        self._heard = self._rung

    def ring(self) -> None:
        """Wake who waits for messages."""
        self._rung += 1
        self._bell.set()
        self._bell = anyio.Event()

    def leave(self) -> None:
        """Let nothing more be done; who waits is told."""
        self._left = True
        self.ring()

    def _check(self) -> None:
        if self._left:
            raise Fenced(f"The session {self._session} is not held any more.", hint="Open it again to go on.")

    def _pending(self) -> dict[str, Message]:
        return {letter.id: letter for letter in read_letters(self._place) if letter.id not in self._settled}

    def _write(self, batch: Batch) -> None:
        """Write a batch where the last one ended: whatever a write that failed has left there, it is replaced."""
        line = msgspec.json.encode(batch) + b"\n"
        with open(self._place / LOG, "r+b") as log:
            log.truncate(self._end)
            log.seek(self._end)
            log.write(line)
        self._end += len(line)


def records_of(batches: Sequence[Batch]) -> list[Record]:
    """The records of a whole log, numbered from 1."""
    bodies = [(batch.epoch, bytes(body)) for batch in batches for body in batch.bodies]
    return [Record(number, epoch, body) for number, (epoch, body) in enumerate(bodies, 1)]


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
