"""Put a message into the inbox of a session that somebody else may hold, or nobody."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

from kiro_core.errors import InboxFull, SessionNotFound
from kiro_core.ports.storing import check_message
from kiro_core.types import INBOX_MESSAGES, Message
from kiro_files import metadata
from kiro_files.files import Files
from kiro_files.inbox import Inbox, locked_inbox
from kiro_files.probing import require_locks
from kiro_files.reading import durable_head, settled_behind


def put_message(files: Files, message_id: str, body: bytes) -> bool:
    """Put it there, durable on return; False where it is there already, or was. Blocks on the disk.

    Raises:
        SessionNotFound, InboxFull, RecordInvalid, Unavailable, OSError.

    """
    check_message(message_id, body)
    metadata.require(files)  # an unknown id must not leave a file behind
    require_locks(files.folder)
    with locked_inbox(files) as inbox:
        _require_session(files, inbox)
        known = inbox.contents
        new = message_id not in known.messages and message_id not in known.settled
        if new:
            _require_room(files, inbox)
            at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
            inbox.put(Message(message_id, at, body), partial(durable_head, files))
        inbox.sync()  # who put it there before may have been killed in front of this
    return new


def _require_session(files: Files, inbox: Inbox) -> None:
    """Make sure that it has not been deleted since; then its inbox was made anew by us, and stays for nobody."""
    try:
        metadata.require(files)
    except SessionNotFound:
        if inbox.is_empty:
            inbox.discard()
        raise


def _require_room(files: Files, inbox: Inbox) -> None:
    """Count what is pending; the log is asked only where it matters, since its owner notes what it has settled."""
    pending = inbox.contents.messages.keys()
    if len(pending) >= INBOX_MESSAGES and len(pending - settled_behind(files, inbox.contents.noted)) >= INBOX_MESSAGES:
        raise InboxFull(
            f"{INBOX_MESSAGES} messages wait in the inbox of the session {files.id}, which takes no more.",
            hint="Send it again when the session has read some; open the session if nobody has.",
            session=files.id,
            pending=INBOX_MESSAGES,
        )
