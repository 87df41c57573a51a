"""What has not reached the store yet: in order, never given up, and bounded while the store takes nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

_KEPT_BYTES = 1 << 20


class Waiting:
    """The bodies of one caller; `kept` ones go out later when the store does not take them now.

    `shows` is what may be shown when they are written, `whenever` also when that is later. `consume` are the messages
    of the inbox that they settle.
    """

    __slots__ = ("bodies", "consume", "error", "kept", "shows", "tried", "whenever")

    def __init__(
        self,
        bodies: Sequence[bytes],
        *,
        kept: bool,
        shows: Sequence[Any] = (),
        whenever: bool = False,
        consume: Sequence[str] = (),
    ) -> None:
        """Wait for the drain."""
        self.bodies: Sequence[bytes] = bodies
        self.consume: Final = consume
        self.kept: Final = kept
        self.shows: Sequence[Any] = shows
        self.whenever: Final = whenever
        self.tried: bool = False
        self.error: Exception | None = None

    def fail(self, error: Exception) -> None:
        """Tell the caller, who tells everybody else."""
        self.error = error
        if not self.whenever:
            self.shows = ()


class Batch:
    """The bodies of several callers, which the store takes as a whole, with the messages that they settle."""

    __slots__ = ("bodies", "consume", "merged")

    def __init__(self, merged: Sequence[Waiting] = ()) -> None:
        """Put them together in order."""
        self.merged: Final = merged
        self.bodies: Final[Sequence[bytes]] = _together([waiting.bodies for waiting in merged])
        self.consume: Sequence[str] = _together([waiting.consume for waiting in merged])

    @property
    def shows(self) -> Sequence[Any]:
        """What may be shown when it is written."""
        return _together([waiting.shows for waiting in self.merged])


def _together(parts: list[Sequence[Any]]) -> Sequence[Any]:
    """All in one; of a caller that nobody was merged with, what it gave."""
    return parts[0] if len(parts) == 1 else [item for part in parts for item in part]


NOTHING: Final = Batch()
"""No batch."""


class Backlog:
    """The queue in front of a store.

    `unsettled` is the batch whose outcome nobody knows: it has to be repeated as it was, before anything newer.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self.unsettled: Batch = NOTHING
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

    @property
    def missing(self) -> bool:
        """Whether updates were counted already: no later one is kept then, so that what is missing is one stretch."""
        return self._gap in self._queue

    def add(self, waiting: Waiting) -> None:
        """Put bodies behind all others."""
        self._queue.append(waiting)

    def take(self) -> list[Batch]:
        """Everything that waits, marked as tried: as few batches as can be.

        What settles messages is one of its own: the store may refuse it, and refuses nothing else with it then.
        """
        taken, self._queue = self._queue, []
        batches: list[list[Waiting]] = []
        for waiting in taken:
            waiting.tried = True
            if waiting.consume or not batches or batches[-1][0].consume:
                batches.append([])
            batches[-1].append(waiting)
        return [Batch(merged) for merged in batches]

    def put_back(self, batches: Sequence[Batch]) -> None:
        """Put what was not offered to the store in front again, as far as it is kept."""
        self._queue[:0] = [each for batch in batches for each in batch.merged if each.kept]

    def miss(self, updates: int, record: Callable[[int], bytes]) -> None:
        """Count updates that are not kept; `record` makes the body that says where and how many they were."""
        if self._gap is None or self._queue[-1:] != [self._gap]:
            self._gap, self._missing = Waiting((), kept=True), 0
            self._queue.append(self._gap)
        self._missing += updates
        self._gap.bodies = (record(self._missing),)
