"""Read a log while somebody else may be writing it: whole batches only, a bounded part at a time."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import suppress
from pathlib import Path

from anyio import to_thread

from kiro_core.types import Record, SessionId
from kiro_files import metadata
from kiro_files.files import Files, not_found, opened
from kiro_files.lines import Line
from kiro_files.places import Place
from kiro_files.refusals import explained
from kiro_files.scanning import Scan
from kiro_files.seeking import find_end, seek
from kiro_files.usual import Part, usual_part

PART_BYTES = 524288


async def read_records(folder: Path, session: SessionId, after: int) -> AsyncGenerator[Record, None]:
    """Whole batches behind a sequence number, and gaps, in order, up to the log's end at that moment.

    Raises:
        SessionNotFound: when the iteration begins, or when the session is deleted meanwhile.
        RecordInvalid: a record of a newer format.
        Unavailable.

    """
    files = Files(folder, session)
    failed = f"The log of the session {files.id} could not be read"
    with explained(failed):
        await to_thread.run_sync(metadata.require, files, abandon_on_cancel=True)
        place = await to_thread.run_sync(_begin, files, after, abandon_on_cancel=True)
    while True:
        with explained(failed):
            part = await to_thread.run_sync(_read_part, files, place, after, abandon_on_cancel=True)
        if part is None:
            return
        for record in part.records:
            yield record
        place = part.place


def scan_part(fd: int, place: Place) -> Scan | None:
    """The whole batches of the next half MiB, or one larger batch; None at the log's end.

    Raises:
        RecordInvalid: records of a newer format.
        OSError: the log cannot be read.

    """
    size = PART_BYTES
    while True:
        block = os.pread(fd, size, place.offset)
        scan = Scan(place)
        scan.feed(block, place.offset)
        if len(block) < size:
            scan.finish()
            return scan if scan.place.offset > place.offset else None
        if scan.found:
            return scan
        size *= 2


def durable_head(files: Files) -> int:
    """The number of the last record, 0 for none, which is durable on return; blocks on the disk.

    Raises:
        RecordInvalid: the last record is of a newer format.
        OSError: the log cannot be read.

    """
    with suppress(FileNotFoundError), opened(files.log) as fd:
        found = find_end(fd, os.fstat(fd).st_size).seq
        os.fsync(fd)
        return found
    return 0


def settled_behind(files: Files, after: int) -> list[str]:
    """The ids of the messages that were settled behind a sequence number; blocks on the disk.

    Raises:
        RecordInvalid: records of a newer format.
        OSError: the log cannot be read.

    """
    settled: list[str] = []
    with suppress(FileNotFoundError), opened(files.log) as fd:
        place = seek(fd, os.fstat(fd).st_size, after)
        while (scan := scan_part(fd, place)) is not None:
            for item in scan.found:
                if isinstance(item, Line) and item.seq > after:
                    settled += item.settled
            place = scan.place
    return settled


def _begin(files: Files, after: int) -> Place:
    try:
        with opened(files.log) as fd:
            return seek(fd, os.fstat(fd).st_size, after)
    except FileNotFoundError:
        return Place()


def _read_part(files: Files, place: Place, after: int) -> Part | None:
    """The records behind a number in the next part; nothing but the place is kept between two.

    An owner that mends the log never cuts before a boundary, so that old and new text cannot mix.
    """
    try:
        with opened(files.log) as fd:
            part = usual_part(os.pread(fd, PART_BYTES, place.offset), place) or _scanned(scan_part(fd, place))
    except FileNotFoundError as error:
        if place.offset:
            raise not_found(files.id) from error
        return None
    if part is None or place.next > after:
        return part
    return part._replace(records=[record for record in part.records if record.seq > after])


def _scanned(scan: Scan | None) -> Part | None:
    if scan is None:
        return None
    return Part([record for item in scan.found if (record := item.record) is not None], scan.place)
