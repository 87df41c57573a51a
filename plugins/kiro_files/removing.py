"""Take a session away so that it is either there or gone, whatever crash or contender comes between."""

from __future__ import annotations

from kiro_files import metadata
from kiro_files.files import Files, not_found, sync_folder
from kiro_files.inbox import discard_inbox
from kiro_files.lease import Lease


def delete_session(files: Files, trashed: str) -> None:
    """Remove all files of a session; blocks on the disk. Damaged ones go too.

    With `trashed`, only a session that is in the trash since then, which is looked at under the lease.

    Raises:
        SessionNotFound: there is none; what a crash left of one is removed all the same. Or it is not in the trash.
        Held: an owner lives.
        RecordInvalid: with `trashed`, its metadata cannot be read.
        OSError: the disk failed.

    """
    if not any(path.exists() for path in (files.metadata, *files.others, files.inbox, files.lock)):
        raise not_found(files.id)
    lease = Lease.take(files)
    try:
        existed = files.metadata.exists()
        if trashed and existed and metadata.load(files)[0].trashed != trashed:
            raise not_found(files.id)
        remove(files, lease)
    finally:
        lease.release()
    if not existed:
        raise not_found(files.id)


def remove(files: Files, lease: Lease) -> None:
    """Remove everything of a session that is held; the caller releases the lease and touches nothing more.

    It exists as long as its metadata does: they go first, durably, so that no crash leaves a session
    without its log. The lock file goes last: until then everybody else is kept out.

    Raises:
        Fenced: the lease was taken away.
        OSError: the disk failed, or the inbox is locked for too long; the next deletion removes the rest.

    """
    lease.check()
    files.metadata.unlink(missing_ok=True)
    sync_folder(files.folder)
    for path in files.others:
        path.unlink(missing_ok=True)
    discard_inbox(files)
    lease.discard()
    sync_folder(files.folder)
