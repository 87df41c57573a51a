"""Archives in the folders of a session: whole or not there, readable by their owner alone, and never through a link."""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import ExitStack, aclosing, contextmanager, suppress
from pathlib import Path, PurePath
from secrets import token_hex
from typing import BinaryIO

from anyio import to_thread

from kiro_mcp.service.folders import explained, unusable

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_FIRST = b"manifest.json\0"
_MAGIC = b"ustar"
_MAGIC_AT = 257
"""An archive of a session is a tar file (POSIX.1-2001 "ustar") whose first file is its manifest."""
_HINT = "Name a file in a folder of the session that exists."
_ONLY_ARCHIVES = "Name a file that is not there yet; only what kiro_session_save has written is replaced."


async def write_archive(path: str, folders: Sequence[str], chunks: AsyncGenerator[bytes, None]) -> tuple[str, int]:
    """Write an archive; its path with every link resolved, and its size.

    A relative path is below the first of the `folders`, and no path leads out of all of them. What is there already
    is replaced only if it is an archive too.

    Raises:
        ToolFailure: INVALID_CONFIG, the path cannot be used; EXECUTION_ERROR, it cannot be written.
        KiroError: as `chunks` raise.

    """
    with ExitStack() as opened, explained(path, _HINT):
        where, folder, name = await to_thread.run_sync(_place, path, folders, opened)
        with _new_file(folder, name, path) as file:
            async with aclosing(chunks):
                async for chunk in chunks:
                    await to_thread.run_sync(file.write, chunk)
            size = file.tell()
            await to_thread.run_sync(_finish, file)
    return where, size


@contextmanager
def _new_file(folder: int, name: str, path: str) -> Iterator[BinaryIO]:
    beside = f".kiro-core-{token_hex(8)}"
    file = os.fdopen(os.open(beside, _NEW, 0o600, dir_fd=folder), "wb")
    try:
        with file:
            yield file
        _require_ours(folder, name, path)
        os.rename(beside, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside, dir_fd=folder)
        raise


def _finish(file: BinaryIO) -> None:
    file.flush()
    os.fsync(file.fileno())


def _place(path: str, folders: Sequence[str], opened: ExitStack) -> tuple[str, int, str]:
    """The path without links, the descriptor of the folder that it is in, and its name there.

    The folder is opened part by part, so that a link that is put in its way meanwhile is not followed.
    """
    given = PurePath(folders[0], Path(path).expanduser())
    if Path(given).is_dir():
        raise unusable(path, "is a folder", "Name a file in it, such as session.tar.")
    parent = PurePath(os.path.realpath(given.parent, strict=True))
    for top in map(os.path.realpath, folders):
        if parent.is_relative_to(top) and given.name not in ("", ".."):
            folder = _opened(top, None, opened)
            for part in parent.relative_to(top).parts:
                folder = _opened(part, folder, opened)
            _require_ours(folder, given.name, path)
            return str(parent / given.name), folder, given.name
    raise unusable(path, "is outside of the session's folders", _HINT)


def _opened(name: str, parent: int | None, opened: ExitStack) -> int:
    folder = os.open(name, _FOLDER, dir_fd=parent)
    opened.callback(os.close, folder)
    return folder


def _require_ours(folder: int, name: str, path: str) -> None:
    """Let nothing be replaced but an archive."""
    try:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return
    if not stat.S_ISREG(found.st_mode):
        raise unusable(path, "is there already, and no plain file", _ONLY_ARCHIVES)
    fd = os.open(name, _READ, dir_fd=folder)
    try:
        head = os.read(fd, _MAGIC_AT + len(_MAGIC))
    finally:
        os.close(fd)
    if not (head.startswith(_FIRST) and head.endswith(_MAGIC)):
        raise unusable(path, "is there already, and no archive of a session", _ONLY_ARCHIVES)
