"""Know where a session's files stand, and create them so that nobody else can read them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kiro_core.errors import SessionNotFound
from kiro_core.types import SessionId

PRIVATE = 0o600
_SMALL = 4096
_TO_READ = os.O_RDONLY | os.O_CLOEXEC
_ID = re.compile("-".join(f"[0-9a-f]{{{count}}}" for count in (8, 4, 4, 4, 12)))


def is_id(text: str) -> bool:
    """Whether it is a UUID in its canonical lower-case form; nothing else becomes a file name."""
    return _ID.fullmatch(text) is not None


class Files:
    """The paths of one session: `{id}.json`, `{id}.jsonl`, `{id}.lock` and, with the first message, `{id}.inbox`.

    `damaged` takes what is cut out of log and inbox. `others` are what may stand there besides metadata, inbox
    and lock file: that, the log, damaged metadata, and those that were being written.
    """

    __slots__ = ("damaged", "folder", "id", "inbox", "lock", "log", "metadata", "others")

    def __init__(self, folder: Path, session: SessionId) -> None:
        """Name the files; none is touched.

        Raises:
            SessionNotFound: the id has a form that no session of ours has.

        """
        if not is_id(session):
            raise not_found(session)
        self.folder = folder
        self.id = session
        self.metadata, self.log, self.lock, self.inbox, self.damaged, *more = (
            folder / f"{session}.{kind}"
            for kind in ("json", "jsonl", "lock", "inbox", "damaged", "json.new", "json.damaged")
        )
        self.others = (self.log, self.damaged, *more)


def not_found(session: SessionId) -> SessionNotFound:
    """The error for an id without a session."""
    return SessionNotFound(
        f"No session has the id {session!r}.", hint="List the sessions to see the ids.", session=session
    )


def open_private(path: Path, flags: int) -> tuple[int, os.stat_result]:
    """Open a file, created when missing, readable by its owner alone whatever the umask says; and which one it is."""
    fd = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        status = os.fstat(fd)
        if stat.S_IMODE(status.st_mode) != PRIVATE:
            os.fchmod(fd, PRIVATE)
    except BaseException:
        os.close(fd)
        raise
    return fd, status


def make_folder(folder: Path) -> None:
    """Create a folder and its missing parents, each open to its owner alone."""
    missing = [path for path in (folder, *folder.parents) if not path.is_dir()]
    for path in reversed(missing):
        with suppress(FileExistsError):
            path.mkdir(0o700)
            path.chmod(0o700)


def sync_folder(folder: Path) -> None:
    """Make what was created, renamed or removed in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def read_whole(path: str | Path, dir_fd: int | None = None) -> bytes:
    """The content of a small file, with as few calls as a listing of thousands needs."""
    fd = os.open(path, _TO_READ, dir_fd=dir_fd)
    try:
        content = os.read(fd, _SMALL)
        while len(content) >= _SMALL and (more := os.read(fd, 65536)):
            content += more
        return content
    finally:
        os.close(fd)


def write_all(fd: int, content: bytes) -> None:
    """Write with one call; a signal or a full disk may cut it short, then the rest follows or the error."""
    done = os.write(fd, content)
    while done < len(content):
        done += os.write(fd, memoryview(content)[done:])


def write_durable(path: Path, content: bytes) -> None:
    """Write a private file from its beginning; its name is durable when its folder is."""
    fd, _ = open_private(path, os.O_WRONLY | os.O_TRUNC)
    try:
        write_all(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)


def replace_file(path: Path, content: bytes, check: Callable[[], None]) -> None:
    """Write a private file beside the old one and rename it, durable on return; `check` comes last before that."""
    new = path.with_name(f"{path.name}.new")
    try:
        write_durable(new, content)
        check()
        new.rename(path)
    except BaseException:
        with suppress(OSError):
            new.unlink()
        raise
    sync_folder(path.parent)


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """A file to read, by its descriptor."""
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        yield fd
    finally:
        os.close(fd)
