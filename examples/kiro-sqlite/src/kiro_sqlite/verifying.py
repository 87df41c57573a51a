"""Check all that is stored of a session, and mend it: what cannot be read is moved aside, nothing is thrown away.

SQLite writes a transaction whole or not at all, so no batch is ever torn. What can happen is that the disk forgets, or
that somebody changes the tables by hand. Damage to the file itself is for `PRAGMA integrity_check` to find.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Connection

from kiro_core.errors import RecordInvalid
from kiro_core.frames import encode
from kiro_core.types import FORMAT, GAP, Finding, Report, SessionId, SessionInfo

from . import sessions
from .owner import owner_of
from .records import is_object
from .sessions import Row

_ASIDE = "INSERT INTO damaged SELECT"


def check(connection: Connection, session: SessionId) -> Report:
    """What is stored, and what of it is not as it was written.

    Raises:
        SessionNotFound: nothing is stored under the id.
        RecordInvalid: it is of a newer format.

    """
    row = sessions.find(connection, session)
    count = "SELECT count(*) FROM record WHERE session = ?"
    (records,) = connection.execute(count, (row.key,)).fetchone()
    inbox = [Finding("inbox", f"The message {name} is no JSON object.") for _, name in _bad_messages(connection, row)]
    findings = [*_of_row(connection, row), *_of_records(connection, row), *inbox]
    return Report(session, records, row.head, findings)


def repair(connection: Connection, owners: Path, session: SessionId) -> Report:
    """Mend what a check finds, and check again; the findings are those of before.

    Raises:
        Held: an owner lives, and there is something to mend.
        SessionNotFound, RecordInvalid: as `check`.

    """
    before = check(connection, session)
    if before.sound:
        return before
    row = sessions.find(connection, session)
    sessions.require_free(row, owners)
    _mend_row(connection, row)
    for seq, _ in list(_bad_records(connection, row)):
        connection.execute(f"{_ASIDE} session, seq, body FROM record WHERE session = ? AND seq = ?", (row.key, seq))
        connection.execute("DELETE FROM record WHERE session = ? AND seq = ?", (row.key, seq))
    for place, _ in list(_bad_messages(connection, row)):
        connection.execute(f"{_ASIDE} session, 0, body FROM message WHERE place = ?", (place,))
        connection.execute("DELETE FROM message WHERE place = ?", (place,))
    return dataclasses.replace(before, repaired=check(connection, session).sound)


def _of_row(connection: Connection, row: Row) -> Iterator[Finding]:
    if row.format > FORMAT:
        row.metadata()  # refuses
    if damage := _damage(row):
        yield Finding("metadata", damage)
    if row.epoch and not owner_of(row.owner)["epoch"]:
        yield Finding("owner", "Nothing says who held the session last.")
    if (found := _last_epoch(connection, row)) > row.epoch:
        yield Finding("metadata", f"The metadata are older than the records: epoch {row.epoch}, not {found}.")


def _of_records(connection: Connection, row: Row) -> Iterator[Finding]:
    last = 0
    for (seq,) in connection.execute("SELECT seq FROM record WHERE session = ? ORDER BY seq", (row.key,)):
        yield from _gap(last + 1, seq - 1)
        last = seq
    yield from _gap(last + 1, row.head)
    for seq, reason in _bad_records(connection, row):
        yield Finding("damaged", f"Record {seq} {reason}.", seq, seq)


def _gap(first: int, last: int) -> Iterator[Finding]:
    if first <= last:
        which = f"Record {first} is" if first == last else f"Records {first} to {last} are"
        yield Finding(GAP, f"{which} lost for good.", first, last)


def _bad_records(connection: Connection, row: Row) -> Iterator[tuple[int, str]]:
    """The number of each record that cannot be read, and why."""
    epoch = 0
    sql = "SELECT seq, epoch, body FROM record WHERE session = ? ORDER BY seq"
    for seq, written, body in connection.execute(sql, (row.key,)):
        if not is_object(body):
            yield seq, "is no JSON object"
        elif written < epoch:
            yield seq, f"has the epoch {written} behind one of {epoch}"
        epoch = max(epoch, written)


def _bad_messages(connection: Connection, row: Row) -> Iterator[tuple[int, str]]:
    """The place of each message that cannot be read, and its id."""
    sql = "SELECT place, id, body FROM message WHERE session = ? AND settled IS NULL ORDER BY place"
    return ((place, name) for place, name, body in connection.execute(sql, (row.key,)) if not is_object(body))


def _damage(row: Row) -> str:
    try:
        row.metadata()
    except RecordInvalid as error:
        return error.sentence
    return ""


def _last_epoch(connection: Connection, row: Row) -> int:
    sql = "SELECT coalesce(max(epoch), 0) FROM record WHERE session = ?"
    return int(connection.execute(sql, (row.key,)).fetchone()[0])


def _mend_row(connection: Connection, row: Row) -> None:
    """Make metadata of what is known beside them where they cannot be read, and an owner of whom the epoch is known."""
    if _damage(row):
        connection.execute(f"{_ASIDE} key, 0, CAST(info AS BLOB) FROM session WHERE key = ?", (row.key,))
        known = "SELECT cwd, updated, updated, name, trashed FROM session WHERE key = ?"
        cwd, created, updated, name, trashed = connection.execute(known, (row.key,)).fetchone()
        info = SessionInfo(row.id, cwd, created, updated, name=name, trashed=trashed)
        sessions.replace(connection, row.key, info)
    epoch = max(row.epoch, _last_epoch(connection, row))
    owner = encode(owner_of(row.owner) | {"epoch": epoch})
    connection.execute("UPDATE session SET epoch = ?, owner = ? WHERE key = ?", (epoch, owner, row.key))
