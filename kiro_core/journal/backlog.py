"""What has not reached the store yet: in order, never given up, and bounded while the store takes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

_KEPT_BYTES = 1 << 20


class Waiting:
    """The bodies of one caller; `kept` ones go out later when the store does not take them now.

    `shows` is what may be shown when they are written, `whenever` also when that is later.
    """

    __slots__ = ("bodies", "error", "kept", "shows", "tried", "whenever")

    def __init__(
        self, bodies: Sequence[bytes], *, kept: bool, shows: Sequence[Any] = (), whenever: bool = False
    ) -> None:
        """Wait for the drain."""
        self.bodies = bodies
        self.kept = kept
        self.shows = shows
        self.whenever = whenever
        self.tried = False
        self.error: Exception | None = None

    def fail(self, error: Exception) -> None:
        """Tell the caller, who tells everybody else."""
        self.error = error
        if not self.whenever:
            self.shows = ()


class Batch:
    """The bodies of several callers, which the store takes as a whole."""

    __slots__ = ("bodies", "merged")

    def __init__(self, merged: Sequence[Waiting] = ()) -> None:
        """Put them together in order."""
        self.merged = merged
        self.bodies = [body for waiting in merged for body in waiting.bodies]

    @property
    def shows(self) -> list[Any]:
        """What may be shown when it is written."""
        return [item for waiting in self.merged for item in waiting.shows]


class Backlog:
    """The queue in front of a store.

    `unsettled` is the batch whose outcome nobody knows: it has to be repeated as it was, before anything newer.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.unsettled = Batch()
        self._queue: list[Waiting] = []
        self._gap: Waiting | None = None
        self._missing = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._queue or self.unsettled.bodies)

    @property
    def room(self) -> int:
        """How many bytes more may be kept, negative for none; of one batch whatever its size is always kept."""
        waiting = (self.unsettled.bodies, *(waiting.bodies for waiting in self._queue))
        return _KEPT_BYTES - sum(len(body) for bodies in waiting for body in bodies)

    def add(self, waiting: Waiting) -> None:
        """Put bodies behind all others."""
        self._queue.append(waiting)

    def take(self) -> Batch:
        """Everything that waits, marked as tried."""
        taken, self._queue = self._queue, []
        for waiting in taken:
            waiting.tried = True
        return Batch(taken)

    def put_back(self, batch: Batch) -> None:
        """Put what was not offered to the store in front again, as far as it is kept."""
        self._queue[:0] = [each for each in batch.merged if each.kept]

    def miss(self, updates: int, record: Callable[[int], bytes]) -> None:
        """Count updates that are not kept; `record` makes the body that says where and how many they were."""
        if self._gap is None or self._queue[-1:] != [self._gap]:
            self._gap, self._missing = Waiting((), kept=True), 0
            self._queue.append(self._gap)
        self._missing += updates
        self._gap.bodies = (record(self._missing),)
