"""The time of a run in seconds since 1970, which goes on evenly when somebody sets the machine's clock."""

from __future__ import annotations

import time

import anyio


class Clock:
    """Counts from its making on."""

    def __init__(self) -> None:
        """Look at the machine's clock, once."""
        self._began = time.time() - anyio.current_time()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._began + anyio.current_time()

    def deadline(self, due: float) -> float:
        """When that is, by the event loop's clock."""
        return due - self._began
