"""The rows of records: appended in batches, read in pages, what is missing told. It runs inside of transactions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from sqlite3 import Connection

from kiro_core.frames import Frame, encode
from kiro_core.types import GAP, Record

_PAGE_BYTES = 2**20
_KEPT = "SELECT session, seq, body FROM record UNION ALL SELECT session, seq, content FROM damaged"


def append(connection: Connection, key: int, epoch: int, head: int, batch: Sequence[bytes]) -> int:
    """Write a batch behind the number `head`; the number of its last record.

    No number is left out, so what is missing can be seen.
    """
    rows = [(key, seq, epoch, body) for seq, body in enumerate(batch, head + 1)]
    connection.executemany("INSERT INTO record VALUES (?, ?, ?, ?)", rows)
    connection.execute("UPDATE session SET head = ? WHERE key = ?", (head + len(rows), key))
    return head + len(rows)


def cut(connection: Connection, key: int, head: int) -> None:
    """Take away what is behind the number `head`, of which nobody was told that it is there; it settles nothing."""
    connection.execute("DELETE FROM record WHERE session = ? AND seq > ?", (key, head))
    connection.execute("UPDATE message SET settled = NULL WHERE session = ? AND settled > ?", (key, head))


def page(connection: Connection, key: int, after: int, head: int) -> list[Record]:
    """The records behind a number, as many as fit into a page; none where there are no more.

    A page may end in the midst of a batch; the rest is there all the same, at the beginning of the next one.
    """
    found, size = list[Record](), 0
    for record in _told(connection, key, after, head):
        found.append(record)
        size += len(record.body)
        if size >= _PAGE_BYTES:
            break
    return found


def tail(connection: Connection, key: int, count: int, head: int) -> list[Record]:
    """The last records, oldest first."""
    return list(_told(connection, key, max(0, head - count), head))


def _told(connection: Connection, key: int, after: int, head: int) -> Iterator[Record]:
    """The records behind a number and, in place of consecutive ones that are missing, one that tells of them."""
    after = min(max(after, 0), head)  # any number may be asked for, and SQLite knows 64 bits
    before = "SELECT coalesce(max(seq), 0) FROM record WHERE session = ? AND seq <= ?"
    (last,) = connection.execute(before, (key, after)).fetchone()
    behind = "SELECT seq, epoch, body FROM record WHERE session = ? AND seq > ? ORDER BY seq"
    for row in connection.execute(behind, (key, after)):
        record = Record(*row)
        if not is_object(record.body):
            continue  # it is missing
        if after <= last < record.seq - 1:
            yield _gap(connection, key, record.epoch, last + 1, record.seq - 1)
        yield record
        last = record.seq
    if after <= last < head:
        yield _gap(connection, key, 0, last + 1, head)


def is_object(body: object) -> bool:
    """Whether it is what a record or a message has to be: one strict JSON object, as bytes."""
    return isinstance(body, bytes) and Frame.read(body).strict


def _gap(connection: Connection, key: int, epoch: int, first: int, last: int) -> Record:
    """See `SessionStore.read`; of what somebody has taken away, nobody knows how long it was."""
    sql = f"SELECT coalesce(sum(length(body)), 0) FROM ({_KEPT}) WHERE session = ? AND seq BETWEEN ? AND ?"
    (size,) = connection.execute(sql, (key, first, last)).fetchone()
    data = {"first": first, "last": last, "bytes": size}
    return Record(first, epoch, encode({"at": "", "kind": GAP, "data": data}))
