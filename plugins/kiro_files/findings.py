"""Say in sentences what is wrong with the files of a session."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from kiro_core.errors import RecordInvalid, SessionNotFound
from kiro_core.types import GAP, Finding
from kiro_files import metadata
from kiro_files.files import Files, opened
from kiro_files.lines import Line
from kiro_files.messages import parse
from kiro_files.owner import read_owner
from kiro_files.places import Hole, Place
from kiro_files.reading import scan_part


def told(files: Files, item: Line | Hole) -> Iterator[Finding]:
    """What is wrong with an item of the log."""
    if isinstance(item, Line) and item.gap:
        them = "it" if item.seq == item.until else "them"
        yield _gap(item.seq, item.until, f"; what was left of {them} is in {files.damaged.name}")
    elif isinstance(item, Hole) and item.start == item.end:
        yield _gap(item.first, item.last, "")
    elif isinstance(item, Hole):
        lost = (item.first, item.last) if item.first <= item.last else (0, 0)
        size, which = item.end - item.start, f", with {_numbers(*lost)}" if lost[0] else ""
        yield Finding("damaged", f"{size} bytes at offset {item.start} of the log are damaged{which}.", *lost)


def _gap(first: int, last: int, where: str) -> Finding:
    verb = "is" if first == last else "are"
    return Finding(GAP, f"{_numbers(first, last).capitalize()} {verb} lost for good{where}.", first, last)


def _numbers(first: int, last: int) -> str:
    return f"record {first}" if first == last else f"records {first} to {last}"


def torn(files: Files, fd: int, place: Place) -> Iterator[Finding]:
    """A batch without its end is torn only where no owner lives who may be about to write the rest."""
    if os.fstat(fd).st_size == place.offset or not _is_free(files.lock) or scan_part(fd, place) is not None:
        return
    if rest := os.fstat(fd).st_size - place.offset:
        yield Finding("torn", f"The last {rest} bytes of the log are of a batch that was not written to its end.")


def _is_free(path: Path) -> bool:
    try:
        with opened(path) as fd:
            return _lock(fd)
    except FileNotFoundError:
        return True


def _lock(fd: int) -> bool:
    """Lock a file for as long as it is open, if nobody writes it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def of_metadata(files: Files, place: Place) -> Iterator[Finding]:
    """What is wrong with the metadata of a session whose log ends at a place.

    Raises:
        RecordInvalid: they are of a newer format.

    """
    try:
        _, epoch = metadata.load(files)
    except SessionNotFound:
        yield Finding("metadata", f"There are records, but no {files.metadata.name} that says what they are.")
    except RecordInvalid as error:
        if metadata.is_newer(error):
            raise
        yield Finding("metadata", error.sentence)
    else:
        if epoch < place.epoch:
            yield Finding("metadata", f"The metadata are older than the log: epoch {epoch}, not {place.epoch}.")


def of_inbox(files: Files) -> Iterator[Finding]:
    """What is wrong with the inbox; a message without its end is torn only where nobody is about to write the rest.

    Raises:
        RecordInvalid: it is of a newer format.

    """
    with suppress(FileNotFoundError), opened(files.inbox) as fd:
        nobody_writes = _lock(fd)
        text = os.pread(fd, os.fstat(fd).st_size, 0)
        contents = parse(text)
        for start, end in contents.damaged:
            yield Finding("inbox", f"{end - start} bytes at offset {start} of {files.inbox.name} are no message.")
        if nobody_writes and (rest := len(text) - contents.end):
            yield Finding("torn", f"The last {rest} bytes of {files.inbox.name} are of a message that was cut off.")


def of_owner(files: Files) -> Iterator[Finding]:
    """What is wrong with the owner record; a file that was never signed is in order."""
    with suppress(FileNotFoundError):
        if files.lock.stat().st_size and not read_owner(files.lock).epoch:
            yield Finding("owner", f"{files.lock.name} does not say who held the session last.")
