"""Read and write text files at a place; all of it blocks, so it runs in a worker thread."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import StringIO
from itertools import islice
from secrets import token_hex

from kiro_core.errors import RpcError
from kiro_core.session.services.places import Place, opened_folder
from kiro_core.session.services.served import failed, invalid

MAX_BYTES = 16 * 1024 * 1024
"""Larger files are neither read nor written."""

_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def check(where: Place) -> None:
    """See whether a regular file is there.

    Raises:
        RpcError: it is something else.
        OSError: it is missing or out of reach.

    """
    with opened_folder(where) as (folder, name):
        _regular(where, os.stat(name, dir_fd=folder, follow_symlinks=False))


def read(where: Place) -> str:
    """The whole text of a file.

    Raises:
        RpcError: it is no regular file, larger than `MAX_BYTES`, or no text in UTF-8.
        OSError: it cannot be read.

    """
    with (
        opened_folder(where) as (folder, name),
        _opened(where, folder, name, os.O_RDONLY) as fd,
        os.fdopen(fd, "rb", closefd=False) as file,
    ):
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise failed(f"{where} is larger than {MAX_BYTES >> 20} MiB.")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise failed(f"{where} is no text in UTF-8: byte {error.start} is wrong.") from error


def lines(content: str, first: int | None, limit: int | None) -> str:
    """At most `limit` lines from line `first` on, which begins at 1; line ends stay as they are."""
    if first is None and limit is None:
        return content
    begin = max((first or 1) - 1, 0)
    return "".join(islice(StringIO(content, newline="\n"), begin, None if limit is None else begin + limit))


def before(where: Place) -> tuple[bool, str | None]:
    """Whether there is a file to be replaced, and its text where it has one.

    Raises:
        RpcError: what is there is no regular file.
        OSError: it is out of reach.

    """
    try:
        check(where)
    except (FileNotFoundError, NotADirectoryError):
        return False, None
    with suppress(RpcError, OSError):  # what cannot be read as text can be replaced all the same
        return True, read(where)
    return True, None


def write(where: Place, content: bytes) -> None:
    """Replace a file as a whole, with its mode kept, or make a new one, with the folders above it.

    Raises:
        RpcError: something else than a regular file is there.
        OSError: it cannot be written.

    """
    with opened_folder(where, make=True) as (folder, name):
        mode = _mode(where, folder, name)
        beside = f".kiro-core-{token_hex(8)}"
        fd = os.open(beside, _NEW, 0o666 if mode is None else 0o600, dir_fd=folder)
        try:
            with os.fdopen(fd, "wb") as file:
                file.write(content)
                if mode is not None:
                    os.fchmod(fd, mode)
                file.flush()
                os.fsync(fd)
            os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside, dir_fd=folder)
            raise


def _mode(where: Place, folder: int, name: str) -> int | None:
    """The mode of the file that is there, which must be one that we may write to."""
    try:
        with _opened(where, folder, name, os.O_WRONLY) as fd:
            return stat.S_IMODE(os.fstat(fd).st_mode)
    except FileNotFoundError:
        return None


@contextmanager
def _opened(where: Place, folder: int, name: str, flags: int) -> Iterator[int]:
    # Looked at first: some devices do something when they are opened.
    _regular(where, os.stat(name, dir_fd=folder, follow_symlinks=False))
    fd = os.open(name, flags | _FLAGS, dir_fd=folder)
    try:
        _regular(where, os.fstat(fd))
        yield fd
    finally:
        os.close(fd)


def _regular(where: Place, found: os.stat_result) -> None:
    if stat.S_ISDIR(found.st_mode):
        raise invalid(f"{where} is a folder.")
    if not stat.S_ISREG(found.st_mode):
        raise invalid(f"{where} is no regular file.")
