"""What has not reached the store yet: in order, never given up, and bounded while the store takes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_KEPT_BYTES = 1 << 20


class Waiting:
    """The bodies of one caller; `kept` ones go out later when the store does not take them now."""

    __slots__ = ("bodies", "error", "kept", "tried")

    def __init__(self, bodies: Sequence[bytes], *, kept: bool) -> None:
        """Wait for the drain."""
        self.bodies = bodies
        self.kept = kept
        self.tried = False
        self.error: Exception | None = None


class Backlog:
    """The queue in front of a store.

    `unsettled` is the batch whose outcome nobody knows: it has to be repeated as it was, before anything newer.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.unsettled: list[bytes] = []
        self._queue: list[Waiting] = []
        self._gap: Waiting | None = None
        self._missing = 0

    def __bool__(self) -> bool:
        """Whether anything waits."""
        return bool(self._queue or self.unsettled)

    @property
    def room(self) -> int:
        """How many bytes more may be kept, negative for none; of one batch whatever its size is always kept."""
        waiting = (self.unsettled, *(waiting.bodies for waiting in self._queue))
        return _KEPT_BYTES - sum(len(body) for bodies in waiting for body in bodies)

    def add(self, waiting: Waiting) -> None:
        """Put bodies behind all others."""
        self._queue.append(waiting)

    def take(self) -> list[Waiting]:
        """Everything that waits, marked as tried."""
        taken, self._queue = self._queue, []
        for waiting in taken:
            waiting.tried = True
        return taken

    def put_back(self, waiting: Sequence[Waiting]) -> None:
        """Put what was not offered to the store in front again, as far as it is kept."""
        self._queue[:0] = [each for each in waiting if each.kept]

    def miss(self, updates: int, record: Callable[[int], bytes]) -> None:
        """Count updates that are not kept; `record` makes the body that says where and how many they were."""
        if self._gap is None or self._queue[-1:] != [self._gap]:
            self._gap, self._missing = Waiting((), kept=True), 0
            self._queue.append(self._gap)
        self._missing += updates
        self._gap.bodies = (record(self._missing),)
