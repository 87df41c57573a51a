"""Remembers for a while what a trigger said, for those that are slow and say the same every time."""

from __future__ import annotations

from collections.abc import Hashable

from anyio import current_time

from kiro_core.agentconfig.triggers.command import Ended

MAX_ENTRIES = 256
"""How many are kept, the newest: a session may call any number of different tools."""


class Cache:
    """Of one session; the time is that of the event loop."""

    def __init__(self) -> None:
        """Remember nothing yet."""
        self._kept: dict[Hashable, tuple[float, Ended]] = {}

    def get(self, key: Hashable) -> Ended | None:
        """What was put under the key, as long as it counts."""
        until, ended = self._kept.get(key, (0.0, None))
        return ended if current_time() < until else None

    def put(self, key: Hashable, ended: Ended, ttl_s: float) -> None:
        """Keep it for so many seconds."""
        self._kept.pop(key, None)
        self._kept[key] = (current_time() + ttl_s, ended)
        if len(self._kept) > MAX_ENTRIES:
            del self._kept[next(iter(self._kept))]
