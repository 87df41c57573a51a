"""Take damage out of a log without losing a byte of it: kept in a file beside first, then cut or covered in place."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from kiro_core.types import FORMAT
from kiro_files.files import Files, open_private, sync_folder, write_all
from kiro_files.lines import encode_gap
from kiro_files.places import Hole
from kiro_files.seeking import End

_CHUNK = 2**20


def mend(files: Files, log_fd: int, end: End) -> None:
    """Cover the holes of a held log with lines of the same size, and cut what stands behind its end.

    A crash in the midst leaves damage again, of which the file beside then has another copy.

    Raises:
        OSError: the disk failed.

    """
    size = os.fstat(log_fd).st_size
    holes = [hole for hole in end.holes if hole.start < hole.end]
    if holes or size > end.offset:
        keep(files, log_fd, [*((hole.start, hole.end) for hole in holes), (end.offset, size)])
    if holes:
        _cover(files, log_fd, holes)
    if size > end.offset:
        os.ftruncate(log_fd, end.offset)


def keep(files: Files, source: int, spans: Iterable[tuple[int, int]], **about: str) -> None:
    """Append each span of a file behind a line `{format, at, offset, bytes, kept}` and what else is said `about` it.

    Zeros at its end are counted, not kept.

    Raises:
        OSError: the disk failed.

    """
    fd, _ = open_private(files.damaged, os.O_WRONLY | os.O_APPEND)
    try:
        for start, end in spans:
            kept = _without_zeros(source, start, end)
            if start == end:
                continue
            at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
            place = {"format": FORMAT, "at": at, **about, "offset": start, "bytes": end - start, "kept": kept - start}
            write_all(fd, msgspec.json.encode(place) + b"\n")
            for offset in range(start, kept, _CHUNK):
                write_all(fd, os.pread(source, min(_CHUNK, kept - offset), offset))
            write_all(fd, b"\n")
        os.fsync(fd)
    finally:
        os.close(fd)
    sync_folder(files.folder)


def _without_zeros(fd: int, start: int, end: int) -> int:
    """Where a span ends without the zeros at its end, of which a crash can leave any number."""
    while end > start:
        size = min(_CHUNK, end - start)
        if text := os.pread(fd, size, end - size).rstrip(b"\0"):
            return end - size + len(text)
        end -= size
    return start


def _cover(files: Files, log_fd: int, holes: Iterable[Hole]) -> None:
    # The log's own descriptor appends, wherever it is told to write (pwrite(2), BUGS).
    fd = os.open(files.log, os.O_WRONLY | os.O_CLOEXEC)
    try:
        if not os.path.sameopenfile(fd, log_fd):
            raise FileNotFoundError(f"{files.log} was replaced")
        for hole in holes:
            os.pwrite(fd, encode_gap(hole.first, hole.last, hole.epoch, hole.end - hole.start), hole.start)
        os.fsync(fd)
    finally:
        os.close(fd)
