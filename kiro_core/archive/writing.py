"""Write an archive piece by piece, so that a log of any size never stands in memory.

The log is read twice, first to tell size and checksum in front of it: an archive can then be
verified while it comes, from front to back, and neither side needs a place for all of it.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import datetime

import msgspec

from kiro_core.archive.blocks import END, header, padding
from kiro_core.archive.closing import closing
from kiro_core.archive.lines import encode_line
from kiro_core.archive.manifest import ARCHIVE_FORMAT, INFO, MANIFEST, RECORDS, Manifest, Tally, content_of
from kiro_core.errors import RecordInvalid, Unavailable
from kiro_core.types import Record, SessionInfo

_CHUNK = 65536

Reading = Callable[[], AsyncIterator[Record]]
"""Begins to read the records of the session."""


async def write_archive(info: SessionInfo, read: Reading, exported: str) -> AsyncGenerator[bytes, None]:
    """Yield the archive of a session, with the records that are there now; `exported` is RFC 3339 in UTC.

    Raises:
        RecordInvalid: a record is not strict JSON.
        Unavailable: the log changed behind the reader.
        KiroError: what `read` raises.

    """
    about = msgspec.json.encode(info) + b"\n"
    tally = await _tallied(read)
    files = {INFO: content_of(about), RECORDS: tally.content}
    manifest = msgspec.json.encode(Manifest(ARCHIVE_FORMAT, info.id, exported, tally.records, tally.head, files))
    mtime = int(datetime.fromisoformat(exported).timestamp())
    for name, text in ((MANIFEST, manifest + b"\n"), (INFO, about)):
        yield header(name, len(text), mtime) + text + bytes(padding(len(text)))
    yield header(RECORDS, tally.size, mtime)
    async for chunk in _again(read, tally):
        yield chunk
    yield bytes(padding(tally.size)) + END


async def _tallied(read: Reading) -> Tally:
    tally = Tally()
    async with closing(read()) as records:
        async for record in records:
            tally.add(_line(record), record.seq)
    return tally


async def _again(read: Reading, first: Tally) -> AsyncGenerator[bytes, None]:
    second, waiting = Tally(), bytearray()
    async with closing(read()) as records:
        async for record in records:
            if record.seq > first.head:
                break
            line = _line(record)
            second.add(line, record.seq)
            waiting += line
            if len(waiting) >= _CHUNK:
                yield bytes(waiting)
                waiting.clear()
    if second.content != first.content:
        raise Unavailable("The session's log changed while it was exported.", hint="Export it again.")
    yield bytes(waiting)


def _line(record: Record) -> bytes:
    try:
        return encode_line(record)
    except ValueError as error:
        raise RecordInvalid(
            f"Record {record.seq} cannot be exported: {error}.",
            hint="The log is damaged there; the store's own files can still be copied.",
        ) from error
