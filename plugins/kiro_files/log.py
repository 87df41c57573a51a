"""Append batches to a log so that each is written whole, by one call, or leaves no trace."""

from __future__ import annotations

import os
from collections.abc import Sequence

from kiro_files.files import write_all
from kiro_files.lines import encode
from kiro_files.seeking import End


class Log:
    """The log of a session that this process holds; the descriptor belongs to the lease."""

    __slots__ = ("_dirty", "_fd", "end", "epoch", "seq")

    def __init__(self, fd: int, end: End) -> None:
        """Go on at its end, behind which nothing stands."""
        self._fd = fd
        self.end, self.seq, self.epoch = end.offset, end.seq, end.epoch
        self._dirty = False

    def append(self, batch: Sequence[bytes], settled: Sequence[str] = ()) -> int:
        """Write a batch that settles these messages behind the last one; the number of its last record.

        Raises:
            ValueError: a body is not one line that looks like a JSON object.
            OSError: the disk failed; nothing of the batch counts, and it may be repeated.

        """
        block = encode(batch, self.seq, self.epoch, settled)
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
