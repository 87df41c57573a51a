"""Let who serves a session's inbox sleep until there may be something new, without missing anything."""

from __future__ import annotations

import anyio


class Bell:
    """It has rung once at the beginning."""

    def __init__(self) -> None:
        """What was there before is new to who comes."""
        self._rung = anyio.Event()
        self.ring()

    def ring(self) -> None:
        """Wake all who wait, or else who comes next."""
        self._rung.set()

    async def heard(self) -> None:
        """Wait until it rings, or has rung since somebody heard it."""
        rung = self._rung
        await rung.wait()
        if self._rung is rung:
            self._rung = anyio.Event()
