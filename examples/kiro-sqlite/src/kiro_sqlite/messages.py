"""The rows of inboxes: put once, and settled in the transaction that writes the record of it."""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection

from kiro_core.errors import InboxFull
from kiro_core.types import INBOX_MESSAGES, INBOX_REMEMBERED, Message, SessionId

from .owner import now
from .sessions import find


def put(connection: Connection, session: SessionId, message_id: str, body: bytes) -> bool:
    """See `SessionStore.put`.

    Raises:
        SessionNotFound, InboxFull.

    """
    key = find(connection, session).key
    known = "SELECT 1 FROM message WHERE session = ? AND id = ?"
    if connection.execute(known, (key, message_id)).fetchone():
        return False
    count = "SELECT count(*) FROM message WHERE session = ? AND settled IS NULL"
    (waiting,) = connection.execute(count, (key,)).fetchone()
    if waiting >= INBOX_MESSAGES:
        raise InboxFull(
            f"{INBOX_MESSAGES} messages are pending in the session {session}, and it takes no more.",
            hint="Wait until some of them are read, then send it again.",
        )
    new = "INSERT INTO message (session, id, at, body) VALUES (?, ?, ?, ?)"
    connection.execute(new, (key, message_id, now(), body))
    return True


def pending(connection: Connection, key: int) -> list[Message]:
    """What is not settled, in the order in which it came."""
    sql = "SELECT id, at, body FROM message WHERE session = ? AND settled IS NULL ORDER BY place"
    return [Message(*row) for row in connection.execute(sql, (key,))]


def settle(connection: Connection, key: int, consume: Sequence[str], before: int, seq: int) -> None:
    """Settle messages with the record `seq`, behind the number `before`, and forget the oldest that were settled.

    Raises:
        ValueError: one is not pending.

    """
    sql = "UPDATE message SET settled = ? WHERE session = ? AND id = ? AND settled IS NULL"
    for message_id in consume:
        if not connection.execute(sql, (seq, key, message_id)).rowcount:
            message = f"Records settle messages that are pending, each once; not this one: {message_id}."
            raise ValueError(message)
    # What was settled before has to be known by its id only.
    connection.execute("UPDATE message SET body = x'' WHERE session = ? AND settled <= ?", (key, before))
    connection.execute(
        "DELETE FROM message WHERE place IN (SELECT place FROM message WHERE session = ? AND settled NOT NULL"
        " ORDER BY settled DESC, place DESC LIMIT -1 OFFSET ?)",
        (key, INBOX_REMEMBERED),
    )
