"""Name places in a log, and damage between them."""

from __future__ import annotations

from typing import NamedTuple

from kiro_core.types import Record
from kiro_files.lines import gap_record


class Hole(NamedTuple):
    """Damaged bytes from `start` to `end` (none: equal), and the missing numbers (none: `last` < `first`)."""

    start: int
    end: int
    first: int
    last: int
    epoch: int

    @property
    def record(self) -> Record | None:
        """The gap that a reader is told; None where nothing is missing."""
        if self.last < self.first:
            return None
        return gap_record(self.first, self.last, self.epoch, self.end - self.start)


class Place(NamedTuple):
    """A batch boundary: its offset, the number that comes next (0: unknown) and the epoch before it."""

    offset: int = 0
    next: int = 1
    epoch: int = 0


class Bad(NamedTuple):
    """Damaged lines side by side; `newer` of them say that they are of a newer format."""

    start: int
    end: int
    lines: int = 1
    newer: int = 0

    def joined(self, other: Bad | None) -> Bad:
        """Both, and what stands between them."""
        if other is None:
            return self
        return Bad(self.start, other.end, self.lines + other.lines, self.newer + other.newer)
