"""Append batches to a log so that each is written whole, by one call, or leaves no trace."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kiro_files.backwards import find_end
from kiro_files.files import write_all
from kiro_files.lines import encode


class Log:
    """The log of a session that this process holds; the descriptor belongs to the lease."""

    __slots__ = ("_dirty", "_fd", "end", "epoch", "seq")

    def __init__(self, fd: int) -> None:
        """Find the last whole batch and cut what a torn write left behind it.

        Raises:
            RecordInvalid: the log has records of a newer format.
            OSError: the disk failed.

        """
        self._fd = fd
        size = os.fstat(fd).st_size
        self.end, self.seq, self.epoch = find_end(fd, size)
        self._dirty = self.end != size
        self._tidy()

    def append(self, batch: Sequence[bytes]) -> int:
        """Write a batch behind the last one and return the number of its last record.

        Raises:
            ValueError: a body is not one line that looks like a JSON object.
            OSError: the disk failed; nothing of the batch counts, and it may be repeated.

        """
        block = encode(batch, self.seq, self.epoch)
        self._tidy()
        self._dirty = True
        try:
            write_all(self._fd, block)
        except OSError:
            self._tidy()
            raise
        self._dirty = False
        self.end += len(block)
        self.seq += len(batch)
        return self.seq

    def _tidy(self) -> None:
        """Cut back to the last whole batch; what cannot be cut now is cut before the next write."""
        if self._dirty:
            os.ftruncate(self._fd, self.end)
            self._dirty = False
