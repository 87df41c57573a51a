"""The one drain of a session's records: in order of call, concurrent calls merged, one append in flight."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import anyio

from kiro_core.errors import Unavailable
from kiro_core.frames import Frame
from kiro_core.journal.entries import opening, payload, value
from kiro_core.ports import SessionDb


def utc_now() -> str:
    """Now, as RFC 3339 in UTC with milliseconds: `2026-01-31T08:00:00.123Z`."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_STORE_S = 5.0


class _Waiting:
    __slots__ = ("bodies", "error", "kept", "written")

    def __init__(self, bodies: Sequence[bytes], *, kept: bool = False) -> None:
        self.bodies = bodies
        self.kept = kept
        self.written = False
        self.error: Exception | None = None


class Journal:
    """Writes a session's records; nobody else appends to its `SessionDb`.

    Every method returns when the record is written, and raises `Unavailable` when the store did not
    take it (the same batch then goes out before anything newer) or `Fenced` when the lease is gone.
    """

    def __init__(self, db: SessionDb) -> None:
        """Write to a session that is held."""
        self._db = db
        self._drain = anyio.Lock(fast_acquire=True)
        self._queue: list[_Waiting] = []
        self._unsettled: list[bytes] = []

    async def updates(self, frames: Sequence[Frame]) -> None:
        """Record notifications of the agent as they came, the lines of a chunk in one append."""
        at = utc_now()
        update, noise = opening(at, "update"), opening(at, "noise")
        await self._append([(noise if f.fault else update) + payload(f) for f in frames])

    async def message(self, kind: str, frame: Frame, turn: str = "") -> None:
        """Record a message that passed: a prompt, a question."""
        await self._append([opening(utc_now(), kind, turn) + payload(frame)])

    async def event(self, kind: str, data: Any, turn: str = "") -> None:
        """Record something that happened; `data` is any JSON value."""
        await self._append([opening(utc_now(), kind, turn) + value(data)])

    def later(self, kind: str, data: Any, turn: str = "") -> None:
        """Record something together with whatever is written next; nobody waits for it, and it is not given up."""
        self._queue.append(_Waiting([opening(utc_now(), kind, turn) + value(data)], kept=True))

    async def settled(self, kind: str, data: Any, turn: str = "") -> None:
        """Record an outcome and make it durable, before anybody is told."""
        await self.event(kind, data, turn)
        await self._db.commit()

    async def _append(self, bodies: Sequence[bytes]) -> None:
        mine = _Waiting(bodies)
        self._queue.append(mine)
        async with self._drain:
            if not mine.written:
                await self._write_queue()
        if mine.error is not None:
            raise mine.error

    async def _write_queue(self) -> None:
        merged, self._queue = self._queue, []
        batch = [body for waiting in merged for body in waiting.bodies]
        for waiting in merged:
            waiting.written = True
        try:
            await self._write(batch)
        except Exception as error:  # noqa: BLE001 - whoever was merged into the batch must learn of any failure
            for waiting in merged:
                waiting.error = error
            self._queue[:0] = [waiting for waiting in merged if waiting.kept]

    async def _write(self, batch: list[bytes]) -> None:
        # Shielded: a batch whose outcome nobody learned would have to be repeated without knowing it.
        with anyio.move_on_after(_STORE_S, shield=True):
            if self._unsettled:
                await self._put(self._unsettled)
            await self._put(batch)
            return
        raise Unavailable(f"The store did not take a record within {_STORE_S:g} s.", hint="See whether its disk hangs.")

    async def _put(self, batch: list[bytes]) -> None:
        self._unsettled = batch
        try:
            await self._db.append(batch)
        except Unavailable:
            raise
        except Exception:
            self._unsettled = []  # refused for what it is: repeating it would block everything newer
            raise
        self._unsettled = []
