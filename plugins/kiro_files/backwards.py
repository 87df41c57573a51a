"""Read a log from its end, so that opening and tails cost the same however long it is."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

from kiro_core.types import Record
from kiro_files.lines import decode

BLOCK = 65536


class End(NamedTuple):
    """Where the last whole batch ends: its offset in bytes, its last record's numbers; 0 for none."""

    offset: int = 0
    seq: int = 0
    epoch: int = 0


def lines_before(fd: int, end: int) -> Iterator[tuple[int, bytes]]:
    """Each whole line in front of `end`, the last first: where it stands behind its newline, and its text.

    What follows the last newline is no line and left out.
    """
    parts: deque[bytes] = deque()
    stop, at = -1, end
    while at > 0:
        start = max(0, at - BLOCK)
        block = os.pread(fd, at - start, start)
        until = len(block)
        while (newline := block.rfind(b"\n", 0, until)) >= 0:
            if stop >= 0:
                parts.appendleft(block[newline + 1 : until])
                yield stop, b"".join(parts)
                parts.clear()
            stop, until = start + newline + 1, newline
        if stop >= 0:
            parts.appendleft(block[:until])
        at = start
    if stop >= 0:
        yield stop, b"".join(parts)


def find_end(fd: int, size: int) -> End:
    """Where the log is to be cut: behind the last batch that is whole.

    Damaged lines behind it stay: readers skip them, and cutting would destroy what a person might
    still want to look at.

    Raises:
        RecordInvalid: a record of a newer format stands there.

    """
    cut, torn = None, 0
    for stop, text in lines_before(fd, size):
        line = decode(text)
        if cut is None:
            cut = stop
        if line is None:
            continue
        # A batch is over at its last record, or, where that one is damaged, because another begins.
        if line.seq == line.until or torn not in {0, line.until}:
            return End(cut, line.until, line.epoch)
        cut, torn = None, line.until
    return End(cut or 0)


def last(fd: int, end: int, count: int) -> list[Record]:
    """The last `count` records in front of `end`, oldest first."""
    records: deque[Record] = deque()
    for _, text in lines_before(fd, end):
        if len(records) >= count:
            break
        line = decode(text)
        if line is not None:
            records.appendleft(Record(line.seq, line.epoch, bytes(line.body)))
    return list(records)
