"""One session, held: what its owner may do, refused in the very transaction in which it is the owner no more."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from sqlite3 import Connection

import anyio
from kiro_core.errors import Fenced, Unavailable
from kiro_core.types import Message, Record, SessionId, SessionInfo

from . import messages, records, sessions
from .bell import Bell
from .database import Database, Job, T
from .sessions import Taken

OwnersJob = Callable[[Connection, int], T]
"""A job of who holds the session, which also gets the number of the last record that is stored."""


class SqliteDb:
    """Implements `SessionDb`."""

    def __init__(self, database: Database, taken: Taken) -> None:
        """Own what was taken; `leave` gives it back."""
        self._database = database
        self._lease = taken.lease
        self._key = taken.row.key
        self._info = taken.info
        self._head = self._durable = taken.row.head
        self._left = False
        self._failed: Unavailable | None = None
        # An append begins behind the one before it, and who waits for a commit finds that another one has done it.
        self._appending, self._committing = anyio.Lock(), anyio.Lock()
        self.id: SessionId = taken.row.id
        self.epoch: int = taken.epoch
        self.bell = Bell()
        self.lost = anyio.Event()

    @property
    def info(self) -> SessionInfo:
        """See `SessionDb.info`."""
        return self._info

    @property
    def head(self) -> int:
        """See `SessionDb.head`."""
        return self._head

    async def append(self, batch: Sequence[bytes], *, consume: Sequence[str] = ()) -> int:
        """See `SessionDb.append`; what was written survives this process, and with the next `commit` the machine."""
        if consume and not (batch and len(set(consume)) == len(consume)):
            message = f"Records settle messages that are pending, each once; not these: {', '.join(consume)}."
            raise ValueError(message)
        async with self._appending:
            head = self._head

            def job(connection: Connection, stored: int) -> int:
                if stored != head:
                    # Of a batch that is there its writer was told that it may not be, and now writes it again.
                    records.cut(connection, self._key, head)
                if not batch:
                    return head
                new = records.append(connection, self._key, self.epoch, head, batch)
                if consume:
                    messages.settle(connection, self._key, consume, head, new)
                return new

            self._head = await self._write(job, durable=False)
            return self._head

    async def commit(self) -> None:
        """See `SessionDb.commit`."""
        wanted = self._head
        async with self._committing:
            if self._durable >= wanted:
                with self._owning():
                    return

            def job(connection: Connection, _: int) -> int:
                head = self._head  # what others have appended while this one waited for its turn
                connection.execute("UPDATE session SET durable = ? WHERE key = ?", (head, self._key))
                return head

            try:
                self._durable = await self._write(job)
            except Unavailable as error:
                # The system tells once that it could not flush: the next time would look like a success.
                self._failed = error
                raise

    async def tail(self, count: int) -> Sequence[Record]:
        """See `SessionDb.tail`."""
        return await self._read(lambda connection, _: records.tail(connection, self._key, count, self._head))

    async def pending(self) -> Sequence[Message]:
        """See `SessionDb.pending`."""
        return await self._read(lambda connection, _: messages.pending(connection, self._key))

    async def woken(self) -> None:
        """See `SessionDb.woken`; SQLite tells nobody what other processes put, so `SessionStore.wake` has to."""
        self._require_held()
        await self.bell.heard()
        self._require_held()

    async def put_info(self, info: SessionInfo) -> None:
        """See `SessionDb.put_info`; durable on return."""
        await self._write(lambda connection, _: sessions.replace(connection, self._key, info))
        self._info = info

    def leave(self) -> None:
        """Give the session back: no waiting, and nothing that can fail."""
        self._left = True
        self._lease.release()
        self.bell.ring()

    async def _write(self, job: OwnersJob[T], *, durable: bool = True) -> T:
        with self._owning():
            return await self._database.write(self._fenced(job), durable=durable)

    async def _read(self, job: OwnersJob[T]) -> T:
        with self._owning():
            return await self._database.read(self._fenced(job))

    @contextmanager
    def _owning(self) -> Iterator[None]:
        self._require_held()
        if self._failed is not None:
            raise self._failed
        try:
            yield
        except Fenced:
            self.lost.set()
            raise

    def _fenced(self, job: OwnersJob[T]) -> Job[T]:
        def fenced(connection: Connection) -> T:
            sql = "SELECT head FROM session WHERE key = ? AND epoch = ?"
            found = connection.execute(sql, (self._key, self.epoch)).fetchone()
            if found is None:
                raise self._gone()
            return job(connection, found[0])

        return fenced

    def _require_held(self) -> None:
        if self._left:
            raise self._gone()

    def _gone(self) -> Fenced:
        return Fenced(f"The session {self.id} is not held any more.", hint="Open it again to go on.", session=self.id)
