"""The one drain of a session's records: in order of call, concurrent calls merged, one append in flight."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import anyio

from kiro_core.errors import MiddlewareFailed, Unavailable
from kiro_core.frames import Frame, decode, encode
from kiro_core.journal.backlog import NOTHING, Backlog, Batch, Waiting
from kiro_core.journal.entries import embedded, opening, said, value
from kiro_core.journal.flushing import Flushing
from kiro_core.ports import SessionDb
from kiro_core.prompt import prompt_verb


def utc_now() -> str:
    """Now, as RFC 3339 in UTC with milliseconds: `2026-01-31T08:00:00.123Z`."""
    second, millisecond = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{_until_the_point(second)}.{millisecond:03}Z"


@lru_cache(maxsize=1)
def _until_the_point(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"


_STORE_S = 5.0
_BARE = {"turn_ended": ("state", "open"), "closed": ()}
"""What has to be on record even of a session whose middleware fails at that: these fields hold nobody's words."""


class Journal:
    """Writes a session's records; nobody else appends to its `SessionDb`.

    Every method returns when the record is written (`strict`: durable), and raises `Unavailable` when
    the store did not take it or `Fenced` when the lease is gone. After `Unavailable` the same batch
    goes out before anything newer; updates and events that were not even offered are kept and follow
    it in order, up to 1 MiB. Messages are not, nor what settles messages of the inbox: who sent them is refused.

    `consume` names pending messages of the inbox that are settled by the very record (`SessionDb.append`). One that is
    not pending raises `ValueError`, and nothing of that record was written. After `Unavailable` it is unknown whether
    they are: the record may still go out, and settles them then.

    What may be shown is published in the order of the records: `shows` are handed to `published` with
    the number of the last record of their batch when that is written (`strict`: durable). What a store that fails
    takes later is published then, as far as it is an update; of anything else the caller has learnt.

    Events are recorded as middlewares let them (`filtered`). Messages and what is shown are their callers' to have
    filtered, since what the agent says has been.
    """

    def __init__(
        self,
        db: SessionDb,
        *,
        strict: bool = False,
        failed: Callable[[Unavailable], None] | None = None,
        published: Callable[[int, Sequence[Any]], None] | None = None,
        record: Callable[[Any], Any] | None = None,
    ) -> None:
        """Write to a session that is held; `failed` is called when the store begins to fail, whoever noticed.

        `record` gives a JSON value as it may be recorded and shown.
        """
        self._db = db
        self._at_once: Callable[[Sequence[bytes]], int] | None = prompt_verb(db, "append_nowait", "append")
        self._strict = strict
        self._failed = failed
        self._published = published
        self._record = record
        self._unpublished: deque[tuple[int, Sequence[Any]]] = deque()
        self.failing: bool = False
        self._drain = anyio.Lock(fast_acquire=True)
        self._backlog = Backlog()
        self._flushing = Flushing(db)
        self._new = anyio.Event()
        self._grown: anyio.Event | None = None

    def has_room(self, size: int = 0) -> bool:
        """Whether so many bytes of updates, or an event, would be kept if the store did not take them."""
        return not self.failing or (self._backlog.room >= size and not (size and self._backlog.missing))

    @property
    def filters(self) -> bool:
        """Whether what is recorded may be another than what was said."""
        return self._record is not None

    def filtered(self, data: Any) -> Any:
        """A JSON value of the desk's own as it may be recorded and shown; what was filtered stays as it is.

        Raises:
            MiddlewareFailed: it may not, and the session ends.

        """
        return data if self._record is None else self._record(decode(encode(data)))

    def filtered_frame(self, frame: Frame) -> Frame:
        """A request or notification with such params.

        Raises:
            MiddlewareFailed: as above.

        """
        if self._record is None:
            return frame
        return Frame.of(frame.method or "", self.filtered(frame.params), 0 if frame.is_request else None)

    async def updates(self, frames: Sequence[Frame], shows: Sequence[Any] = ()) -> None:
        """Record notifications of the agent as they came, the lines of a chunk in one append."""
        await self._append(Waiting(said(utc_now(), frames), kept=True, shows=shows, whenever=True))

    async def message(self, kind: str, frame: Frame, turn: str = "", shows: Sequence[Any] = ()) -> None:
        """Record a message that passed: a prompt, a question, an update of our own, as it may be recorded."""
        await self._append(Waiting([embedded(opening(utc_now(), kind, turn), frame)], kept=False, shows=shows))

    async def event(
        self, kind: str, data: Any, turn: str = "", shows: Sequence[Any] = (), consume: Sequence[str] = ()
    ) -> None:
        """Record something that happened; `data` is any JSON value."""
        body = self._body(kind, data, turn)
        kept = self.has_room() and not consume
        await self._append(Waiting([body], kept=kept, shows=shows, consume=consume))

    def later(self, kind: str, data: Any, turn: str = "", shows: Sequence[Any] = ()) -> None:
        """Record something together with whatever is written next; nobody waits for it."""
        body = self._body(kind, data, turn)
        self._backlog.add(Waiting([body], kept=True, shows=shows, whenever=True))
        self._new.set()

    def unrecorded(self, updates: int) -> None:
        """Count updates for which there was no room; a record of that kind tells where and how many."""
        self._backlog.miss(updates, lambda missing: opening(utc_now(), "unrecorded") + value({"updates": missing}))

    async def settled(
        self, kind: str, data: Any, turn: str = "", shows: Sequence[Any] = (), consume: Sequence[str] = ()
    ) -> None:
        """Record an outcome and make it durable, before who waits for it is told."""
        await self.event(kind, data, turn, shows, consume)
        await self.commit()

    async def commit(self) -> None:
        """Make durable what was written; does nothing where nothing is new."""
        upto = self._db.head
        try:
            await self._flushing.catch_up()
        except Unavailable as error:
            self._fail(error)
            raise
        self.failing = bool(self._backlog.unsettled.bodies)
        self._publish(upto)

    async def flush(self) -> None:
        """Write what waits, repeating what the store did not take, and make all of it durable."""
        if self._new.is_set():
            self._new = anyio.Event()
        if self._backlog:
            await self._append(Waiting((), kept=False))
        await self.commit()

    async def grown(self, after: int) -> None:
        """Wait until there is a record behind number `after`."""
        while self._db.head <= after:
            self._grown = self._grown or anyio.Event()
            await self._grown.wait()

    async def unflushed(self) -> None:
        """Wait until there is something to flush."""
        await self._new.wait()

    def _body(self, kind: str, data: Any, turn: str) -> bytes:
        try:
            data = self.filtered(data)
        except MiddlewareFailed as error:
            if kind not in _BARE:
                raise
            data = {**{name: data[name] for name in _BARE[kind]}, "reason": str(error)}
        return opening(utc_now(), kind, turn) + value(data)

    async def _append(self, mine: Waiting) -> None:
        self._backlog.add(mine)
        async with self._drain:
            if not mine.tried:
                await self._write_all()
        if mine.error is not None:
            raise mine.error
        if self._strict:
            await self.commit()

    async def _write_all(self) -> None:
        batches = deque(self._backlog.take())
        while batches:
            batch = batches.popleft()
            try:
                await self._write(batch)
            except ValueError as error:  # it settles what is not pending, which is nobody else's fault
                _failed(batch, error)
            except Exception as error:  # noqa: BLE001 - whoever was merged into a batch must learn of any failure
                for each in (batch, *batches):
                    _failed(each, error)
                if isinstance(error, Unavailable):
                    offered = self._backlog.unsettled is batch
                    self._backlog.put_back([*batches] if offered else [batch, *batches])
                    self._fail(error)
                return

    async def _write(self, batch: Batch) -> None:
        if self._at_once is not None and not batch.consume and not self._backlog.unsettled.consume:
            await self._in_order(batch)  # nothing in it waits: it cannot be cancelled, nor be late
            return
        # Shielded: a batch whose outcome nobody learned would have to be repeated without knowing it.
        with anyio.move_on_after(_STORE_S, shield=True):
            await self._in_order(batch)
            return
        raise Unavailable(f"The store did not take a record within {_STORE_S:g} s.", hint="See whether its disk hangs.")

    async def _in_order(self, batch: Batch) -> None:
        await self._repeat(self._backlog.unsettled)
        await self._put(batch)

    async def _repeat(self, batch: Batch) -> None:
        try:
            await self._put(batch)
        except ValueError:
            # What it settled is settled in some other way by now; that it happened is still to be recorded.
            batch.consume = ()
            await self._put(batch)

    async def _put(self, batch: Batch) -> None:
        if not batch.bodies:
            return
        self._backlog.unsettled = batch
        try:
            if self._at_once is None or batch.consume:
                head = await self._db.append(batch.bodies, consume=batch.consume)
            else:
                head = self._at_once(batch.bodies)
        except Unavailable:
            raise
        except Exception:
            self._backlog.unsettled = NOTHING  # refused for what it is: repeating it would block everything newer
            raise
        self._backlog.unsettled = NOTHING
        self._flushing.wrote()
        self._new.set()
        if self._grown is not None:
            self._grown.set()
            self._grown = None
        self._unpublished.append((head, batch.shows))
        if not self._strict:
            self._publish(head)

    def _publish(self, upto: int) -> None:
        """Hand out what may be shown of the records up to that number."""
        while self._unpublished and self._unpublished[0][0] <= upto:
            head, shows = self._unpublished.popleft()
            if self._published is not None:
                self._published(head, shows)

    def _fail(self, error: Unavailable) -> None:
        if not self.failing:
            self.failing = True
            if self._failed is not None:
                self._failed(error)


def _failed(batch: Batch, error: Exception) -> None:
    for waiting in batch.merged:
        waiting.fail(error)
