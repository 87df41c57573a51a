"""Puts messages into inboxes: from any process, once each, and durable before anybody is told that they are there."""

import fcntl
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from kiro_core.errors import InboxFull
from kiro_core.types import INBOX_MESSAGES

from .files import INBOX, Letter, cut, read_batches, read_letters


def put_letter(place: Path, message_id: str, body: bytes) -> bool:
    """Put a message into the inbox of the session there; False where one of that id has come before.

    Raises:
        InboxFull: too many are pending.

    """
    with open(place / INBOX, "ab") as inbox:
        fcntl.flock(inbox, fcntl.LOCK_EX)  # as long as it is open
        letters = read_letters(place)
        if any(letter.id == message_id for letter in letters):
            return False
        if _pending(place, len(letters)) >= INBOX_MESSAGES:
            raise InboxFull(f"{INBOX_MESSAGES} messages are pending.", hint="Let the session settle some.")
        cut(place / INBOX)
        letter = Letter(message_id, datetime.now(UTC).isoformat(), msgspec.Raw(body))
        inbox.write(msgspec.json.encode(letter) + b"\n")
        inbox.flush()
        os.fsync(inbox.fileno())
    return True


def _pending(place: Path, came: int) -> int:
    """How many of those that came are pending, at most; the log is read only where that matters."""
    return came if came < INBOX_MESSAGES else came - sum(len(batch.consume) for batch in read_batches(place))
