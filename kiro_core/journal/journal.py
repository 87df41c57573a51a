"""The one drain of a session's records: in order of call, concurrent calls merged, one append in flight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import anyio

from kiro_core.errors import Unavailable
from kiro_core.frames import Frame
from kiro_core.journal.backlog import Backlog, Waiting
from kiro_core.journal.entries import opening, payload, value
from kiro_core.journal.flushing import Flushing
from kiro_core.ports import SessionDb


def utc_now() -> str:
    """Now, as RFC 3339 in UTC with milliseconds: `2026-01-31T08:00:00.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_STORE_S = 5.0


class Journal:
    """Writes a session's records; nobody else appends to its `SessionDb`.

    Every method returns when the record is written (`strict`: durable), and raises `Unavailable` when
    the store did not take it or `Fenced` when the lease is gone. After `Unavailable` the same batch
    goes out before anything newer; updates and events that were not even offered are kept and follow
    it in order, up to 1 MiB. Messages are not: who sent them is refused.
    """

    def __init__(
        self, db: SessionDb, *, strict: bool = False, failed: Callable[[Unavailable], None] | None = None
    ) -> None:
        """Write to a session that is held; `failed` is called when the store begins to fail, whoever noticed."""
        self._db = db
        self._strict = strict
        self._failed = failed
        self.failing = False
        self._drain = anyio.Lock(fast_acquire=True)
        self._backlog = Backlog()
        self._flushing = Flushing(db)
        self._new = anyio.Event()
        self._grown = anyio.Event()

    @property
    def pending(self) -> bool:
        """Whether something is not where it belongs yet: in the store, and with `strict` durable there."""
        return bool(self._backlog) or (self._strict and self._flushing.behind)

    def has_room(self, size: int = 0) -> bool:
        """Whether so many bytes would be kept if the store did not take them."""
        return not self.failing or self._backlog.room >= size

    async def updates(self, frames: Sequence[Frame]) -> None:
        """Record notifications of the agent as they came, the lines of a chunk in one append."""
        at = utc_now()
        update, noise = opening(at, "update"), opening(at, "noise")
        await self._append([(noise if f.fault else update) + payload(f) for f in frames], kept=True)

    async def message(self, kind: str, frame: Frame, turn: str = "") -> None:
        """Record a message that passed: a prompt, a question."""
        await self._append([opening(utc_now(), kind, turn) + payload(frame)])

    async def event(self, kind: str, data: Any, turn: str = "") -> None:
        """Record something that happened; `data` is any JSON value."""
        await self._append([opening(utc_now(), kind, turn) + value(data)], kept=self.has_room())

    def later(self, kind: str, data: Any, turn: str = "") -> None:
        """Record something together with whatever is written next; nobody waits for it."""
        self._backlog.add(Waiting([opening(utc_now(), kind, turn) + value(data)], kept=True))
        self._new.set()

    def unrecorded(self, updates: int) -> None:
        """Count updates for which there was no room; a record of that kind tells where and how many."""
        self._backlog.miss(updates, lambda missing: opening(utc_now(), "unrecorded") + value({"updates": missing}))

    async def settled(self, kind: str, data: Any, turn: str = "") -> None:
        """Record an outcome and make it durable, before anybody is told."""
        await self.event(kind, data, turn)
        await self.commit()

    async def commit(self) -> None:
        """Make durable what was written; does nothing where nothing is new."""
        try:
            await self._flushing.catch_up()
        except Unavailable as error:
            self._fail(error)
            raise
        self.failing = bool(self._backlog.unsettled)

    async def flush(self) -> None:
        """Write what waits, repeating what the store did not take, and make all of it durable."""
        if self._new.is_set():
            self._new = anyio.Event()
        if self._backlog:
            await self._append(())
        await self.commit()

    async def grown(self, after: int) -> None:
        """Wait until there is a record behind number `after`."""
        while self._db.head <= after:
            await self._grown.wait()

    async def unflushed(self) -> None:
        """Wait until there is something to flush."""
        await self._new.wait()

    async def _append(self, bodies: Sequence[bytes], *, kept: bool = False) -> None:
        mine = Waiting(bodies, kept=kept)
        self._backlog.add(mine)
        async with self._drain:
            if not mine.tried:
                await self._write_all()
        if mine.error is not None:
            raise mine.error
        if self._strict:
            await self.commit()

    async def _write_all(self) -> None:
        merged = self._backlog.take()
        batch = [body for waiting in merged for body in waiting.bodies]
        try:
            await self._write(batch)
        except Exception as error:  # noqa: BLE001 - whoever was merged into the batch must learn of any failure
            for waiting in merged:
                waiting.error = error
            if isinstance(error, Unavailable):
                if self._backlog.unsettled is not batch:
                    self._backlog.put_back(merged)
                self._fail(error)

    async def _write(self, batch: list[bytes]) -> None:
        # Shielded: a batch whose outcome nobody learned would have to be repeated without knowing it.
        with anyio.move_on_after(_STORE_S, shield=True):
            await self._put(self._backlog.unsettled)
            await self._put(batch)
            return
        raise Unavailable(f"The store did not take a record within {_STORE_S:g} s.", hint="See whether its disk hangs.")

    async def _put(self, batch: list[bytes]) -> None:
        if not batch:
            return
        self._backlog.unsettled = batch
        try:
            await self._db.append(batch)
        except Unavailable:
            raise
        except Exception:
            self._backlog.unsettled = []  # refused for what it is: repeating it would block everything newer
            raise
        self._backlog.unsettled = []
        self._flushing.wrote()
        self._new.set()
        self._grown.set()
        self._grown = anyio.Event()

    def _fail(self, error: Unavailable) -> None:
        if not self.failing:
            self.failing = True
            if self._failed is not None:
                self._failed(error)
