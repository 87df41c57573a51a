"""Read a log while somebody else may be writing it: whole batches only, a bounded part at a time."""

from __future__ import annotations

import os
from typing import NamedTuple

from kiro_core.types import Record
from kiro_files.files import Files, not_found
from kiro_files.lines import Line, decode

PART_BYTES = 262144


class Part(NamedTuple):
    """Records of whole batches, and the offset at which the next part begins."""

    records: list[Record]
    next: int


def read_part(files: Files, start: int) -> Part | None:
    """The whole batches of the next quarter of a MiB, or one larger batch; None at the log's end.

    `start` is a batch boundary. Nothing else is kept between two parts, and an owner that repairs
    the log never cuts before a boundary, so that old and new text cannot mix.

    Raises:
        SessionNotFound: it was deleted while it was read.
        RecordInvalid: a record of a newer format.
        OSError: the log cannot be read.

    """
    try:
        fd = os.open(files.log, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError as error:
        if start:
            raise not_found(files.id) from error
        return None
    try:
        size = PART_BYTES
        while True:
            block = os.pread(fd, size, start)
            lines, done = _whole_batches(block)
            if done:
                return Part([Record(line.seq, line.epoch, bytes(line.body)) for line in lines], start + done)
            if len(block) < size:
                return None
            size *= 2
    finally:
        os.close(fd)


def _whole_batches(block: bytes) -> tuple[list[Line], int]:
    """The lines of the whole batches in a block, and where the last of them ends.

    Damaged lines are skipped. A batch whose end is damaged is over when the next one begins.
    """
    whole: list[Line] = []
    batch: list[Line] = []
    start = done = 0
    while (newline := block.find(b"\n", start)) >= 0:
        line = decode(block[start:newline])
        if line is not None and batch and batch[-1].until != line.until:
            whole += batch
            batch, done = [], start
        start = newline + 1
        if line is not None:
            batch.append(line)
        if line is not None and line.seq == line.until:
            whole += batch
            batch = []
        if not batch:
            done = start
    return whole, done
