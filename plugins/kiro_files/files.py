"""Know where a session's files stand, and create them so that nobody else can read them."""

from __future__ import annotations

import errno
import os
import re
import stat
from contextlib import suppress
from pathlib import Path

from kiro_core.errors import SessionNotFound, Unavailable
from kiro_core.types import SessionId

PRIVATE = 0o600
_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REASONS = {
    errno.ENOSPC: ("the disk is full", "Free some space, then try again."),
    errno.EDQUOT: ("the disk quota is used up", "Free some space, then try again."),
    errno.EFBIG: ("the file has reached the largest size allowed", "Raise the limit on file sizes (ulimit -f)."),
    errno.EROFS: ("the file system is read-only", "Mount it writable, or set another root for the store."),
    errno.EACCES: ("access is denied", "Check who owns the folder of the store."),
    errno.EPERM: ("access is denied", "Check who owns the folder of the store."),
}
_HINT = "Check the disk and its file system, then try again."


def is_id(text: str) -> bool:
    """Whether it is a UUID in its canonical lower-case form; nothing else becomes a file name."""
    return _ID.fullmatch(text) is not None


class Files:
    """The paths of one session: `{id}.json`, `{id}.jsonl` and `{id}.lock` in one folder.

    `others` are what may stand there besides metadata and lock file: the log, metadata that were
    being written, and the inbox of a version that has one.
    """

    __slots__ = ("folder", "id", "lock", "log", "metadata", "others")

    def __init__(self, folder: Path, session: SessionId) -> None:
        """Name the files; none is touched.

        Raises:
            SessionNotFound: the id has a form that no session of ours has.

        """
        if not is_id(session):
            raise not_found(session)
        self.folder = folder
        self.id = session
        self.metadata, self.log, self.lock = (folder / f"{session}.{kind}" for kind in ("json", "jsonl", "lock"))
        self.others = (self.log, *(folder / f"{session}.{kind}" for kind in ("json.new", "inbox")))


def not_found(session: SessionId) -> SessionNotFound:
    """The error for an id without a session."""
    return SessionNotFound(
        f"No session has the id {session!r}.", hint="List the sessions to see the ids.", session=session
    )


def unavailable(error: OSError, failed: str) -> Unavailable:
    """The error for a file operation that failed, in words; `failed` begins its sentence."""
    reason, hint = _REASONS.get(error.errno or 0, (f"the disk answered {error.strerror or str(error)!r}", _HINT))
    return Unavailable(f"{failed}: {reason}.", hint=hint, errno=error.errno)


def open_private(path: Path, flags: int) -> int:
    """Open a file, created when missing, readable by its owner alone whatever the umask says."""
    fd = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, PRIVATE)
    try:
        if stat.S_IMODE(os.fstat(fd).st_mode) != PRIVATE:
            os.fchmod(fd, PRIVATE)
    except BaseException:
        os.close(fd)
        raise
    return fd


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
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC, dir_fd=dir_fd)
    try:
        content = os.read(fd, 65536)
        while content and (more := os.read(fd, 65536)):
            content += more
        return content
    finally:
        os.close(fd)


def write_all(fd: int, content: bytes) -> None:
    """Write with one call; a signal or a full disk may cut it short, then the rest follows or the error."""
    done = os.write(fd, content)
    while done < len(content):
        done += os.write(fd, memoryview(content)[done:])
