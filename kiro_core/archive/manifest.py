"""What an archive says of itself first, so that all that follows can be verified while it comes."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

import msgspec

from kiro_core.errors import ArchiveInvalid

ARCHIVE_FORMAT = 1
MANIFEST, INFO, RECORDS = "manifest.json", "info.json", "records.jsonl"

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_Count = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class Content(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file's size in bytes and its SHA-256 (lower-case hexadecimal)."""

    bytes: _Count
    sha256: str


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`exported` is RFC 3339 in UTC; `records` counts them and `head` is the last one's `seq`, 0 for none."""

    format: int
    session: str
    exported: str
    records: _Count
    head: _Count
    files: dict[str, Content]


class _Format(msgspec.Struct):
    format: int


class Tally:
    """Adds up what a file holds while it passes: bytes, checksum, records and the last one's number."""

    def __init__(self) -> None:
        """Begin with an empty file."""
        self.size: int = 0
        self.records: int = 0
        self.head: int = 0
        self._sha256 = sha256()

    def add(self, line: bytes, seq: int) -> None:
        """Count a record's line."""
        self.size += len(line)
        self.records += 1
        self.head = seq
        self._sha256.update(line)

    @property
    def content(self) -> Content:
        """Size and checksum so far."""
        return Content(self.size, self._sha256.hexdigest())


def content_of(text: bytes) -> Content:
    """Size and checksum of a small file."""
    return Content(len(text), sha256(text).hexdigest())


def parse_manifest(text: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        ArchiveInvalid: it is damaged, or of a newer format.

    """
    try:
        if (found := msgspec.json.decode(text, type=_Format).format) != ARCHIVE_FORMAT:
            raise ArchiveInvalid(
                f"The archive has format {found}, this version reads format {ARCHIVE_FORMAT}.",
                hint="Update kiro-core to import it.",
                format=found,
            )
        manifest = msgspec.json.decode(text, type=Manifest)
    except _UNREADABLE as error:
        raise ArchiveInvalid(f"The archive's {MANIFEST} is damaged: {error}.") from error
    if manifest.files.keys() != {INFO, RECORDS}:
        raise ArchiveInvalid(f"The archive's {MANIFEST} does not list {INFO} and {RECORDS}.")
    return manifest
