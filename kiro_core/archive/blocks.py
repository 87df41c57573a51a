"""The few rules of tar that an archive uses: plain members in a fixed order, so that nothing else can be in it."""

from __future__ import annotations

import tarfile

from kiro_core.errors import ArchiveInvalid

BLOCK = tarfile.BLOCKSIZE
END = bytes(2 * BLOCK)
"""Two blocks of zeros (POSIX.1-1988, ustar); `tar` itself pads with more of them, up to a record."""

LONGEST_END = tarfile.RECORDSIZE


def header(name: str, size: int, mtime: int) -> bytes:
    """The block in front of a member of `size` bytes; `mtime` is in seconds since 1970."""
    member = tarfile.TarInfo(name)
    member.size, member.mtime, member.mode = size, mtime, 0o600
    return member.tobuf(tarfile.GNU_FORMAT)


def padding(size: int) -> int:
    """How many zeros fill the last block of a member of `size` bytes."""
    return -size % BLOCK


def size_in(block: bytes, name: str) -> int:
    """The size of the member that a header announces.

    Raises:
        ArchiveInvalid: it is not the header of a plain file of that name.

    """
    try:
        member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError as error:
        raise ArchiveInvalid(f"The archive has no valid header for {name}: {error}.", hint=NOT_OURS) from error
    if (member.name, member.type) != (name, tarfile.REGTYPE) or member.size < 0:
        raise ArchiveInvalid(f"The archive has {member.name!r} where the file {name} belongs.", hint=NOT_OURS)
    return member.size


NOT_OURS = "Import a file that `kiro-core sessions export` has written, as it was written."
