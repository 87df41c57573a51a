"""The file of messages to a session: anybody appends to it, under a lock of its own and not the session's.

Nobody removes or replaces it without the lock of the very file that stands there, so no message is put into one that
is gone. Nothing in it is ever written over: whoever reads it without the lock reads whole lines.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from kiro_core.types import Message
from kiro_files.files import Files, read_whole, replace_file, sync_folder, write_all
from kiro_files.locked import locked
from kiro_files.mending import keep
from kiro_files.messages import Contents, condensed, encode_message, encode_note, parse

LIMIT_S = 5.0
"""How long the lock is waited for."""

ROOM = 2**16
"""Bytes of what is settled that may stand there, and as many more as all the rest has."""

_FLAGS = os.O_RDWR | os.O_APPEND


class Inbox:
    """An inbox whose lock is held, for one change.

    What was not written to its end goes with that: nobody was told that it is there.
    """

    def __init__(self, files: Files, fd: int) -> None:
        """Read it.

        Raises:
            RecordInvalid: it is of a newer format.
            OSError: it cannot be read.

        """
        self._files = files
        self._fd = fd
        text = os.pread(fd, os.fstat(fd).st_size, 0)
        self.contents = parse(text)
        self._torn = self.contents.end < len(text)
        self._lines = text[: self.contents.end]

    @property
    def is_empty(self) -> bool:
        """Whether nothing ever stood in it to its end."""
        return not self._lines

    def discard(self) -> None:
        """Remove it; it was made for a session that is gone."""
        self._files.inbox.unlink()

    def put(self, message: Message, head: Callable[[], int]) -> None:
        """Write a message behind the last line; in front of the first one, what it cannot have been settled by.

        That is the log's `head`, as far as it is durable.

        Raises:
            OSError: the disk failed.

        """
        note = encode_note((), head()) if self.is_empty else b""
        self._append(note + encode_message(message))

    def sync(self) -> None:
        """Make durable what stands in it, and that it is there."""
        os.fsync(self._fd)
        sync_folder(self._files.folder)

    def note(self, settled: Collection[str], seq: int, check: Callable[[], None]) -> None:
        """Note messages as settled by records up to a number, which are durable; what that frees is not kept for ever.

        Raises:
            OSError: the disk failed.
            Fenced: `check` raises it where the session is not held any more.

        """
        line = encode_note(settled, seq)
        self.contents.add(line[:-1])
        text = condensed(self.contents, self._damaged()) if len(self._lines) > ROOM else self._lines
        if len(self._lines) > 2 * len(text) + ROOM:
            replace_file(self._files.inbox, text, check)
        else:
            check()
            self._append(line)

    def mend(self, check: Callable[[], None]) -> None:
        """Take out what is damaged, of which a copy is kept beside first.

        Raises:
            OSError, Fenced: as `note`.

        """
        if damaged := self.contents.damaged:
            keep(self._files, self._fd, damaged, of="inbox")
        if damaged or self._torn:
            replace_file(self._files.inbox, condensed(self.contents, ()), check)

    def _append(self, line: bytes) -> None:
        if self._torn:
            replace_file(self._files.inbox, self._lines + line, lambda: None)
        else:
            write_all(self._fd, line)

    def _damaged(self) -> list[bytes]:
        return [self._lines[start:end] for start, end in self.contents.damaged]


@contextmanager
def locked_inbox(files: Files, *, waits: bool = True) -> Iterator[Inbox]:
    """The inbox, which is made where there is none; with `waits`, who has it locked is waited for.

    Raises on entering:
        RecordInvalid: it is of a newer format.
        OSError: it is locked, for too long; or it cannot be opened or read.

    """
    with locked(files.inbox, _FLAGS, LIMIT_S if waits else 0) as file:
        yield Inbox(files, file.fd)


def read_inbox(files: Files) -> Contents:
    """What stands in it, without its lock; nothing where there is none.

    Raises:
        RecordInvalid: it is of a newer format.
        OSError: it cannot be read.

    """
    try:
        return parse(read_whole(files.inbox))
    except FileNotFoundError:
        return Contents()


def discard_inbox(files: Files) -> None:
    """Remove it, whatever it holds, from a session that does not exist any more, or not yet.

    Raises:
        OSError: it is locked for too long, or cannot be removed.

    """
    new = files.inbox.with_suffix(".inbox.new")
    if not files.inbox.exists() and not new.exists():
        return
    with locked(files.inbox, _FLAGS, LIMIT_S):
        new.unlink(missing_ok=True)
        files.inbox.unlink()
