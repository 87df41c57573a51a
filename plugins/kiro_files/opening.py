"""Take a session over: locks, torn tail, epoch and owner record, in the order that keeps a crash harmless."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import NamedTuple

from kiro_core.errors import Held, SessionNotFound
from kiro_core.types import SessionInfo
from kiro_files import metadata
from kiro_files.files import Files, make_folder
from kiro_files.lease import Lease
from kiro_files.log import Log
from kiro_files.removing import remove


class Holding(NamedTuple):
    """A session that is held: its locks, its repaired log and its metadata."""

    lease: Lease
    log: Log
    info: SessionInfo


def open_session(files: Files) -> Holding:
    """Hold a session that exists; blocks on the disk.

    Raises:
        SessionNotFound, Held, RecordInvalid, OSError.

    """
    metadata.load(files)  # an unknown id must not leave a lock file behind
    with ExitStack() as undo:
        lease = Lease.take(files)
        undo.callback(lease.release)
        info, epoch = _load_held(files, lease)
        holding = _begin(files, lease, info, epoch)
        undo.pop_all()
    return holding


def create_session(files: Files, info: SessionInfo) -> Holding:
    """Make a session and hold it; blocks on the disk.

    What a crash left of an earlier attempt (no metadata, nothing in the log) is no session.

    Raises:
        Held, OSError.

    """
    make_folder(files.folder)
    with ExitStack() as undo:
        lease = Lease.take(files)
        undo.callback(lease.release)
        if files.metadata.exists():
            raise _exists(files, "", "Open it, or create one with a new id.")
        if os.fstat(lease.log_fd).st_size:
            raise _exists(files, ", without its metadata", "Delete it, or restore its metadata from a copy.")
        holding = _begin(files, lease, info, 0)
        undo.pop_all()
    return holding


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


def _begin(files: Files, lease: Lease, info: SessionInfo, epoch: int) -> Holding:
    """Repair the log and begin an epoch; written down in two places before anything carries it."""
    log = Log(lease.log_fd)
    log.epoch = max(epoch, log.epoch, lease.previous.epoch) + 1
    lease.sign(log.epoch)
    metadata.replace(files, info, log.epoch, lease.check)
    return Holding(lease, log, info)
