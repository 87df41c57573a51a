"""One session in memory, held: what its owner may do until it leaves, and nothing after that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import anyio

from kiro_core.errors import Fenced
from kiro_core.testing.memory.shelf import Shelf
from kiro_core.types import Message, Record, SessionInfo


class MemoryDb:
    """Implements `SessionDb`; each verb checks the epoch in the step that acts, so that no late writer gets in."""

    def __init__(self, shelf: Shelf, epoch: int) -> None:
        """Own what was taken with that epoch."""
        self._shelf = shelf
        self._heard = -1  # the first `woken` returns at once
        self.epoch = epoch
        self.lost: Final = anyio.Event()

    @property
    def info(self) -> SessionInfo:
        """See `SessionDb.info`."""
        return self._shelf.info

    @property
    def head(self) -> int:
        """See `SessionDb.head`."""
        return self._shelf.head

    async def append(self, batch: Sequence[bytes], *, consume: Sequence[str] = ()) -> int:
        """See `SessionDb.append`."""
        self._check()
        shelf = self._shelf
        if consume and not (batch and len(set(consume)) == len(consume) and shelf.pending.keys() >= set(consume)):
            message = f"Records settle messages that are pending, each once; not these: {', '.join(consume)}."
            raise ValueError(message)
        shelf.records += [Record(seq, self.epoch, bytes(body)) for seq, body in enumerate(batch, shelf.head + 1)]
        for name in consume:
            del shelf.pending[name]
            shelf.settled.add(name)
        return shelf.head

    async def commit(self) -> None:
        """See `SessionDb.commit`; memory is as durable as it gets."""
        self._check()

    async def tail(self, count: int) -> Sequence[Record]:
        """See `SessionDb.tail`."""
        self._check()
        return self._shelf.records[-count:] if count else []

    async def pending(self) -> Sequence[Message]:
        """See `SessionDb.pending`."""
        self._check()
        return list(self._shelf.pending.values())

    async def woken(self) -> None:
        """See `SessionDb.woken`; several may wait, and a ring wakes all of them."""
        self._check()
        if self._heard == self._shelf.rung:
            await self._shelf.heard()
            self._check()
        self._heard = self._shelf.rung

    async def put_info(self, info: SessionInfo) -> None:
        """See `SessionDb.put_info`."""
        self._check()
        self._shelf.info = info

    def _check(self) -> None:
        if self._shelf.owner.get("epoch") != self.epoch:
            raise Fenced(f"The session {self._shelf.info.id} is not held any more.", hint="Open it again to go on.")
