"""Check all that is stored of a session, and mend it under the lease; nothing is changed by looking."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import chain

from kiro_core.errors import RecordInvalid, SessionNotFound
from kiro_core.types import NO_CONTACT, Finding, Report, SessionInfo
from kiro_files import metadata
from kiro_files.files import Files, not_found, opened
from kiro_files.findings import of_inbox, of_metadata, of_owner, told, torn
from kiro_files.inbox import locked_inbox
from kiro_files.lease import Lease
from kiro_files.lines import Line
from kiro_files.opening import begin
from kiro_files.places import Hole, Place
from kiro_files.reading import scan_part
from kiro_files.rebuilding import rebuild
from kiro_files.scanning import Scan
from kiro_files.seeking import End


def check_session(files: Files) -> Report:
    """Read the whole log, the metadata, the inbox and the owner record; blocks on the disk.

    Raises:
        SessionNotFound: there is none.
        RecordInvalid: it is of a newer format.
        OSError: it cannot be read.

    """
    require_any(files)
    records, findings, place = 0, list[Finding](), Place()
    with suppress(FileNotFoundError), opened(files.log) as fd:
        for scan in _parts(fd):
            place = scan.place
            for item in scan.found:
                records += isinstance(item, Line) and not item.gap
                findings += told(files, item)
        findings += torn(files, fd, place)
    findings += chain(of_metadata(files, place), of_inbox(files), of_owner(files))
    return Report(files.id, records, place.next - 1, findings)


def repair_session(files: Files) -> Report:
    """Mend what a check finds, and check again; the findings are those of before.

    Raises:
        Held: an owner lives.
        Unavailable: the store cannot write.
        SessionNotFound, RecordInvalid, OSError: as `check_session`.

    """
    before = check_session(files)
    if before.sound:
        return before
    lease = Lease.take(files)
    try:
        require_any(files)
        begin(files, lease, _known(files), _end(lease.log_fd), NO_CONTACT)
        if files.inbox.exists():
            with locked_inbox(files) as inbox:
                inbox.mend(lease.check)
    finally:
        lease.release()
    return replace(before, repaired=check_session(files).sound)


def require_any(files: Files) -> None:
    """Make sure that something of the session is there: its metadata, or records without.

    Raises:
        SessionNotFound: nothing is.

    """
    with suppress(FileNotFoundError):
        if files.metadata.exists() or files.log.stat().st_size:
            return
    raise not_found(files.id)


def _known(files: Files) -> tuple[SessionInfo, int]:
    try:
        return metadata.load(files)
    except SessionNotFound:
        return rebuild(files), 0
    except RecordInvalid as error:
        if metadata.is_newer(error):
            raise
        return rebuild(files), 0


def _parts(fd: int) -> Iterator[Scan]:
    place = Place()
    while (scan := scan_part(fd, place)) is not None:
        yield scan
        place = scan.place


def _end(fd: int) -> End:
    holes, place = list[Hole](), Place()
    for scan in _parts(fd):
        holes += (item for item in scan.found if isinstance(item, Hole))
        place = scan.place
    return End(place.offset, place.next - 1, place.epoch, tuple(holes))
