"""What a store keeps of one session: all that outlives its owner."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import anyio

from kiro_core.types import Message, Record, SessionInfo


class Shelf:
    """One session; what belongs together changes between two waits, which is all that memory needs to be atomic."""

    def __init__(self, info: SessionInfo) -> None:
        """A session that nobody holds, with an empty log and an empty inbox."""
        self.info = info
        self.records: list[Record] = []
        self.pending: dict[str, Message] = {}
        self.settled: set[str] = set()
        self.epoch: int = 0
        self.owner: Mapping[str, Any] = {}
        self.rung: int = 0
        self._freed = anyio.Event()
        self._rings = anyio.Event()

    @property
    def head(self) -> int:
        """The number of the last record, 0 for none."""
        return self.records[-1].seq if self.records else 0

    def take(self, owner: Mapping[str, Any]) -> int:
        """Let somebody hold it, which nobody does now: the new epoch."""
        self.epoch += 1
        self.owner = {"epoch": self.epoch, **owner}
        self._freed = anyio.Event()
        return self.epoch

    def give_back(self) -> None:
        """Let nobody hold it, and wake who waits for that or for messages."""
        self.owner = {}
        self._freed.set()
        self.ring()

    async def freed(self) -> None:
        """Wait until nobody holds it."""
        while self.owner:
            await self._freed.wait()

    def ring(self) -> None:
        """Tell who waits for messages that there may be some."""
        self.rung += 1
        self._rings.set()
        self._rings = anyio.Event()

    async def heard(self) -> None:
        """Wait for the next ring."""
        await self._rings.wait()
