"""Make a log durable: concurrent calls share one flush, and where nothing is new there is none."""

from __future__ import annotations

import anyio

from kiro_core.errors import Unavailable
from kiro_core.ports import SessionDb

_FLUSH_S = 30.0
"""Longer than for a write, since a busy disk is no broken one, and what is shown waits for no flush."""


class Flushing:
    """How much of what was written is durable."""

    def __init__(self, db: SessionDb) -> None:
        """Flush a session that is held."""
        self._db = db
        self._one = anyio.Lock(fast_acquire=True)
        self._written = 0
        self._durable = 0

    @property
    def behind(self) -> bool:
        """Whether something is written that is not durable."""
        return self._durable < self._written

    def wrote(self) -> None:
        """Take note of a write."""
        self._written += 1

    async def catch_up(self) -> None:
        """Return when everything that was written before the call is durable.

        Raises:
            Unavailable: it failed, or took longer than 30 s.
            Fenced: the lease has ended.

        """
        if self._durable == (mine := self._written):
            return
        async with self._one:
            if self._durable < mine:
                upto = self._written
                await self._flushed()
                self._durable = upto

    async def _flushed(self) -> None:
        with anyio.move_on_after(_FLUSH_S):
            await self._db.commit()
            return
        raise Unavailable(
            f"The store did not make records durable within {_FLUSH_S:g} s.", hint="See whether its disk hangs."
        )
