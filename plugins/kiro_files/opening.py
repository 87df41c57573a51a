"""Take a session over: locks, damage, epoch and owner record, in the order that keeps a crash harmless."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import NamedTuple

from kiro_core.errors import Held, SessionNotFound
from kiro_core.types import Contact, SessionInfo
from kiro_files import metadata
from kiro_files.files import Files, make_folder
from kiro_files.inbox import discard_inbox
from kiro_files.lease import Lease
from kiro_files.log import Log
from kiro_files.mending import mend
from kiro_files.removing import remove
from kiro_files.seeking import End, find_end
from kiro_files.settling import Found, find


class Holding(NamedTuple):
    """A session that is held: its locks, its mended log, its metadata and what its inbox holds."""

    lease: Lease
    log: Log
    info: SessionInfo
    found: Found


def open_session(files: Files, contact: Contact) -> Holding:
    """Hold a session that exists; blocks on the disk.

    Raises:
        SessionNotFound, Held, RecordInvalid, Unavailable, OSError.

    """
    metadata.load(files)  # an unknown id must not leave a lock file behind
    with ExitStack() as undo:
        lease = Lease.take(files)
        undo.callback(lease.release)
        known = _load_held(files, lease)
        end = find_end(lease.log_fd, os.fstat(lease.log_fd).st_size)
        holding = begin(files, lease, known, end, contact)
        undo.pop_all()
    return holding


def create_session(files: Files, info: SessionInfo, contact: Contact) -> Holding:
    """Make a session and hold it; blocks on the disk.

    What a crash left of an earlier attempt (no metadata, nothing in the log) is no session.

    Raises:
        Held, RecordInvalid, Unavailable, OSError.

    """
    metadata.require_text(info)
    make_folder(files.folder)
    with ExitStack() as undo:
        lease = Lease.take(files)
        undo.callback(lease.release)
        if files.metadata.exists():
            raise _exists(files, "", "Open it, or create one with a new id.")
        if os.fstat(lease.log_fd).st_size:
            repair = f"`kiro-core sessions verify {files.id} --repair` makes them anew; or delete it."
            raise _exists(files, ", without its metadata", repair)
        discard_inbox(files)
        holding = begin(files, lease, (info, 0), End(), contact)
        undo.pop_all()
    return holding


def begin(files: Files, lease: Lease, known: tuple[SessionInfo, int], end: End, contact: Contact) -> Holding:
    """Mend the log and begin an epoch; written down in two places before anything carries it.

    `known` are the metadata and their epoch.

    Raises:
        Fenced: the lease was taken away.
        RecordInvalid: the inbox is of a newer format.
        OSError: the disk failed.

    """
    info, epoch = known
    mend(files, lease.log_fd, end)
    log = Log(lease.log_fd, end)
    log.epoch = max(epoch, end.epoch, lease.previous.epoch) + 1
    lease.sign(log.epoch, contact)
    metadata.replace(files, info, log.epoch, lease.check)
    return Holding(lease, log, info, find(files, log.seq, lease.check))


def _load_held(files: Files, lease: Lease) -> tuple[SessionInfo, int]:
    try:
        return metadata.load(files)
    except SessionNotFound:
        if not os.fstat(lease.log_fd).st_size:
            # It was deleted a moment ago, and locking has made two of its files anew.
            remove(files, lease)
        raise


def _exists(files: Files, state: str, hint: str) -> Held:
    return Held(f"The session {files.id} exists already{state}.", hint=hint, session=files.id)
