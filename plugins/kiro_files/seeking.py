"""Find a place in a log by number or from its end, so that opening and tails cost the same however long it is."""

from __future__ import annotations

import os
from typing import NamedTuple

from kiro_core.types import Record
from kiro_files.lines import decode
from kiro_files.places import Hole, Place
from kiro_files.scanning import Scan
from kiro_files.usual import usual_part

WINDOW = 65536
MENDED = 2**20
"""Bytes at the end of a log in which opening looks for damage, once it has met some."""

_PROBE = 4096


class End(NamedTuple):
    """Where the last whole batch ends, the last number and epoch there, and the damage in front of it."""

    offset: int = 0
    seq: int = 0
    epoch: int = 0
    holes: tuple[Hole, ...] = ()


def find_end(fd: int, size: int) -> End:
    """Where the log is to be cut: behind the last batch that is whole. It looks no further back than it must.

    Raises:
        RecordInvalid: the last record is of a newer format.

    """
    window = WINDOW
    while True:
        start = max(size - window, 0)
        scan = _scanned(fd, start, size)
        holes = tuple(item for item in scan.found if isinstance(item, Hole))
        if start == 0 or (scan.found and (not holes or window >= MENDED)):
            offset, following, epoch = scan.place
            return End(offset, following - 1, epoch, holes)
        window = MENDED if window < MENDED else 2 * window


def seek(fd: int, size: int, after: int) -> Place:
    """A place in front of the record behind `after`, found by bisecting offsets; at most a window too early."""
    low, high = 0, size
    while after and high - low > WINDOW:
        middle = (low + high) // 2
        offset, seq = _believed(fd, middle, high)
        if 0 < seq <= after:
            low = offset
        else:
            high = middle
    return Place(low, next=0) if low else Place()


def last(fd: int, end: int, head: int, count: int) -> list[Record]:
    """The last `count` records in front of the offset `end`, oldest first; `head` is the number of the last one."""
    if (usual := _usual_last(fd, end, head, count)) is not None:
        return usual
    back = count
    while True:
        after = max(head - back, 0)
        scan = Scan(seek(fd, end, after))
        start = scan.place.offset
        scan.feed(os.pread(fd, end - start, start), start)
        scan.finish()
        records = [record for item in scan.found if (record := item.record) and record.seq > after]
        if len(records) >= count or not after:
            return records[max(len(records) - count, 0) :]
        back *= 4  # gaps stand for many numbers


def _usual_last(fd: int, end: int, head: int, count: int) -> list[Record] | None:
    """The same from one look at the end, where that is as usual and the records are not much larger than elsewhere."""
    size = count * (end // max(head, 1) + 1)
    start = max(end - size - size // 4 - _PROBE, 0)
    block = os.pread(fd, end - start, start)
    at = block.find(b"\n") + 1 if start else 0
    part = usual_part(block[at:], Place(start + at, next=0 if start else 1))
    if part is None or part.place.offset != end or (len(part.records) < count and start):
        return None
    return list(part.records[max(len(part.records) - count, 0) :])


def _scanned(fd: int, start: int, end: int) -> Scan:
    """What stands between two offsets, the first of which may be within a line."""
    block = os.pread(fd, end - start, start)
    scan = Scan(Place(start, next=0) if start else Place())
    scan.feed(block, start, block.find(b"\n") + 1 if start else 0)
    scan.finish()
    return scan


def _believed(fd: int, start: int, end: int) -> tuple[int, int]:
    """Offset and number of the first line behind `start` that the next one continues; zeros when there is none."""
    size = _PROBE
    while True:
        block = os.pread(fd, min(size, end - start), start)
        at, before = block.find(b"\n") + 1, (0, 0, 0)
        while 0 < at < len(block) and (newline := block.find(b"\n", at)) >= 0:
            line = decode(block[at:newline])
            offset, number, expected = before
            if line is not None and line.seq == expected:
                return offset, number
            before = (start + at, line.seq, line.reach + 1) if line is not None else (0, 0, 0)
            at = newline + 1
        if len(block) < size:
            return 0, 0
        size *= 4
