"""Events and locks that hold no memory until somebody waits for them: a session has dozens, and mostly nobody does."""

from __future__ import annotations

from typing import Self

import anyio
from anyio import EventStatistics
from anyio.lowlevel import checkpoint


class LazyEvent(anyio.Event):
    """An `anyio.Event` that makes one of the running event loop for who waits before it is set."""

    __slots__ = ("_event", "_is_set")

    def __new__(cls) -> Self:
        """Make one without a running event loop."""
        return object.__new__(cls)

    def __init__(self) -> None:
        """Begin unset."""
        self._event: anyio.Event | None = None
        self._is_set = False

    def set(self) -> None:
        """Wake all who wait."""
        self._is_set = True
        if self._event is not None:
            self._event.set()
            self._event = None

    def is_set(self) -> bool:
        """Whether it was set."""
        return self._is_set

    async def wait(self) -> None:
        """Wait until it is set."""
        if self._is_set:
            await checkpoint()
            return
        if self._event is None:
            self._event = anyio.Event()
        await self._event.wait()

    def statistics(self) -> EventStatistics:
        """How many wait."""
        return EventStatistics(0) if self._event is None else self._event.statistics()


class LazyLock:
    """A lock, for `async with`, that makes one of the running event loop while somebody holds it."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        """Begin free."""
        self._lock: anyio.Lock | None = None

    async def __aenter__(self) -> None:
        """Wait until it is free, in the order in which all came."""
        if self._lock is None:
            self._lock = anyio.Lock(fast_acquire=True)
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        """Give it to who waits longest."""
        if self._lock is not None:
            self._lock.release()
            if not self._lock.locked():
                self._lock = None
