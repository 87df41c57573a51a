"""What is kept of one session: a folder with its metadata, its log, its inbox, and who holds it.

A line of the log is a batch, and a line of the inbox is a message: what has no end of line was not written to its end.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote, unquote
from uuid import uuid4

import msgspec
from kiro_core.errors import Held, KiroError, RecordInvalid, SessionNotFound, Unavailable
from kiro_core.types import FORMAT, Message, SessionId, SessionInfo

_PREFIX = "session-"
T = TypeVar("T")

INFO, LOG, INBOX, LOCK, OWNER = "info.json", "log.jsonl", "inbox.jsonl", "lock", "owner.json"


class Batch(msgspec.Struct):
    """Records that are there together, and the messages that they settle; an acquisition is a batch without any."""

    epoch: int
    bodies: list[msgspec.Raw] = []
    consume: list[str] = []


class Letter(msgspec.Struct):
    """A message."""

    id: str
    at: str
    body: msgspec.Raw


class Owner(msgspec.Struct):
    """Who holds a session, or held it last."""

    epoch: int = 0
    pid: int = 0
    face: str = ""
    socket: str = ""
    here: bool = True


@contextmanager
def explained(session: str) -> Iterator[None]:
    """Let what the disk refuses out in words: what is not there, or could not be, is an unknown session."""
    try:
        yield
    except KiroError:
        raise
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENAMETOOLONG}:
            raise SessionNotFound(f"There is no session {session!r}.", hint="List the sessions.") from error
        raise Unavailable(f"The session {session}: {error.strerror}.", hint="See to the disk, try again.") from error


def place_of(root: Path, session: str) -> Path:
    """Its folder; whatever an id may be, that is one name in `root`."""
    return root / f"{_PREFIX}{quote(session, safe='', errors='surrogatepass')}"


def sessions_in(root: Path) -> list[SessionId]:
    """The ids of all sessions."""
    return [SessionId(unquote(path.name.removeprefix(_PREFIX))) for path in root.glob(f"{_PREFIX}*")]


def make(place: Path, info: SessionInfo) -> None:
    """Make a session: under another name first, so that nobody sees half of one.

    Raises:
        Held: it exists already.

    """
    new = place.with_name(f"new-{uuid4()}")
    new.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new.mkdir(mode=0o700)
    for name in (LOG, INBOX, LOCK):
        os.close(os.open(new / name, os.O_CREAT | os.O_WRONLY, 0o600))
    replace_file(new / INFO, info)
    try:
        new.rename(place)
    except OSError as error:
        shutil.rmtree(new)
        raise Held(f"The session {info.id} exists already.", hint="Open it, or choose another id.") from error


def remove(place: Path) -> None:
    """Remove a session: under another name, so that nobody sees half of one."""
    gone = place.with_name(f"gone-{uuid4()}")
    place.rename(gone)
    shutil.rmtree(gone)


def replace_file(path: Path, value: object) -> None:
    """Write a value as JSON; whoever reads the file sees the old one or the new one."""
    new = path.with_suffix(".new")
    with open(os.open(new, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as file:
        file.write(msgspec.json.encode(value))
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def read_info(place: Path) -> SessionInfo:
    """Its metadata; RecordInvalid where they are damaged or of a newer format."""
    info = _decoded(place / INFO, (place / INFO).read_bytes(), SessionInfo)
    if info.format > FORMAT:
        raise RecordInvalid(f"{place / INFO} is of a newer format.", hint="Update kiro-core.")
    return info


def read_batches(place: Path) -> list[Batch]:
    """The whole batches of its log, in order; RecordInvalid where one is damaged."""
    return [_decoded(place / LOG, line, Batch) for line in whole_lines(place / LOG)]


def read_letters(place: Path) -> list[Message]:
    """All messages that ever came, in order; RecordInvalid where one is damaged."""
    letters = [_decoded(place / INBOX, line, Letter) for line in whole_lines(place / INBOX)]
    return [Message(letter.id, letter.at, bytes(letter.body)) for letter in letters]


def whole_lines(path: Path) -> list[bytes]:
    """The lines that were written to their end."""
    return path.read_bytes().split(b"\n")[:-1]


def cut(path: Path) -> int:
    """Cut what was not written to its end: how long the file is then."""
    text = path.read_bytes()
    end = text.rfind(b"\n") + 1
    if end < len(text):
        os.truncate(path, end)
    return end


def _decoded(path: Path, text: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.MsgspecError, ValueError) as error:
        raise RecordInvalid(f"{path} is damaged: {error}.", hint="Restore it from a backup.") from error


def read_owner(place: Path) -> Owner:
    """Who holds it, or held it last; nobody where that cannot be read."""
    try:
        return msgspec.json.decode((place / OWNER).read_bytes(), type=Owner)
    except (OSError, msgspec.MsgspecError, ValueError):
        return Owner()
