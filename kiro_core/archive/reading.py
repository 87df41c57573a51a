"""Verify an archive while it comes, from front to back, and refuse it at the first byte that is wrong."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

import msgspec

from kiro_core.archive.blocks import BLOCK, END, LONGEST_END, NOT_OURS, padding, size_in
from kiro_core.archive.closing import closing
from kiro_core.archive.incoming import Incoming
from kiro_core.archive.lines import LONGEST_LINE, decode_line
from kiro_core.archive.manifest import INFO, MANIFEST, RECORDS, Manifest, Tally, content_of, parse_manifest
from kiro_core.errors import ArchiveInvalid
from kiro_core.types import FORMAT, Record, SessionInfo

_LONGEST_TEXT = 2**20
"""Bytes of manifest and metadata, each."""

_info = msgspec.json.Decoder(SessionInfo).decode

Keep = Callable[[bytes], Awaitable[None]]
"""Takes the body of one record, in order; what was kept counts only when all has been verified."""


async def read_archive(chunks: AsyncIterator[bytes], keep: Keep) -> SessionInfo:
    """Verify an archive, hand on its records, and return its metadata; the chunks are closed then.

    Raises:
        ArchiveInvalid: it does not verify; forget what was kept.

    """
    async with closing(chunks):
        return await _read(Incoming(chunks), keep)


async def _read(incoming: Incoming, keep: Keep) -> SessionInfo:
    manifest = parse_manifest(await _text(incoming, MANIFEST))
    text = await _text(incoming, INFO)
    if content_of(text) != manifest.files[INFO]:
        raise _differs(INFO)
    info = _parsed(text, manifest)
    await _records(incoming, manifest, keep)
    end = await incoming.rest(LONGEST_END + 1)
    if not len(END) <= len(end) <= LONGEST_END or end.strip(b"\0"):
        raise ArchiveInvalid("The archive does not end where it says.", hint=NOT_OURS)
    return info


async def _text(incoming: Incoming, name: str) -> bytes:
    size = size_in(await incoming.exactly(BLOCK, name), name)
    if size > _LONGEST_TEXT:
        raise ArchiveInvalid(f"The archive's {name} has {size} bytes; {_LONGEST_TEXT} are allowed.", hint=NOT_OURS)
    return (await incoming.exactly(size + padding(size), name))[:size]


async def _records(incoming: Incoming, manifest: Manifest, keep: Keep) -> None:
    size = size_in(await incoming.exactly(BLOCK, RECORDS), RECORDS)
    if size != manifest.files[RECORDS].bytes:
        raise _differs(RECORDS)
    tally = Tally()
    while tally.size < size:
        line = await incoming.line(min(size - tally.size, LONGEST_LINE), RECORDS)
        record = _record(line, tally)
        tally.add(line, record.seq)
        await keep(record.body)
    if (tally.content, tally.records, tally.head) != (manifest.files[RECORDS], manifest.records, manifest.head):
        raise _differs(RECORDS)
    await incoming.exactly(padding(size), RECORDS)


def _record(line: bytes, before: Tally) -> Record:
    number = before.records + 1
    try:
        record = decode_line(line)
    except ValueError as error:
        raise ArchiveInvalid(f"Record {number} of the archive is damaged: {error}.") from error
    if record.seq <= before.head:
        raise ArchiveInvalid(f"Record {number} of the archive is out of order.")
    return record


def _parsed(text: bytes, manifest: Manifest) -> SessionInfo:
    try:
        info = _info(text)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise ArchiveInvalid(f"The archive's {INFO} is damaged: {error}.") from error
    if info.format > FORMAT:
        raise ArchiveInvalid(
            f"The session in the archive has format {info.format}, this version reads format {FORMAT}.",
            hint="Update kiro-core to import it.",
            format=info.format,
        )
    if info.id != manifest.session or not _is_id(info.id):
        raise ArchiveInvalid(f"The archive's {INFO} is not that of the session {manifest.session!r}.")
    return info


def _is_id(text: str) -> bool:
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _differs(name: str) -> ArchiveInvalid:
    return ArchiveInvalid(
        f"The archive's {name} is not what its {MANIFEST} says.", hint="Copy it again, or export it again."
    )
