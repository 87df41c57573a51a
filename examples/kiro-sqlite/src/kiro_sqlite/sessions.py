"""The rows of sessions: metadata, epoch, and who holds them. All of it runs inside of transactions."""

from __future__ import annotations

from pathlib import Path
from sqlite3 import Connection
from typing import Any, NamedTuple

from kiro_core.errors import Held, SessionNotFound
from kiro_core.types import Contact, SessionId, SessionInfo

from . import metadata
from .lease import Lease, is_held
from .metadata import is_text
from .owner import held, owner_of, this_process


class Row(NamedTuple):
    """A session as it is stored."""

    key: int
    id: SessionId
    info: str
    format: int
    epoch: int
    head: int
    lease: str
    owner: bytes

    def metadata(self) -> SessionInfo:
        """What `info` says.

        Raises:
            RecordInvalid: it is damaged or of a newer format.

        """
        return metadata.decode(self.id, self.info, self.format)


class Taken(NamedTuple):
    """A session that is held from now on."""

    row: Row
    info: SessionInfo
    epoch: int
    lease: Lease


def find(connection: Connection, session: SessionId) -> Row:
    """The row of a session.

    Raises:
        SessionNotFound: no session has the id.

    """
    sql = f"SELECT {', '.join(Row._fields)} FROM session WHERE id = ?"
    found = connection.execute(sql, (session,)).fetchone() if is_text(session) else None
    if found is None:
        raise SessionNotFound(f"There is no session {session!r}.", hint="List the sessions.", session=session)
    return Row(*found)


def create(connection: Connection, info: SessionInfo) -> None:
    """Make a session.

    Raises:
        Held: the id exists already.
        RecordInvalid: as `metadata.columns`.

    """
    columns = metadata.columns(info, "{}")
    if connection.execute("SELECT 1 FROM session WHERE id = ?", (info.id,)).fetchone():
        raise Held(f"The session {info.id} exists already.", hint="Open it, or choose another id.", session=info.id)
    names = ", ".join(columns)
    places = ", ".join(f":{name}" for name in columns)
    connection.execute(f"INSERT INTO session (id, {names}) VALUES (:id, {places})", {"id": info.id, **columns})


def take(connection: Connection, owners: Path, session: SessionId, contact: Contact) -> Taken:
    """Hold a session, under an epoch that is higher than all before; `owners` is the folder of the pipes.

    Raises:
        SessionNotFound, Held, RecordInvalid: as `SessionStore.open`.
        OSError: no pipe can be made.

    """
    row = find(connection, session)
    require_free(row, owners)
    info, epoch, lease = row.metadata(), row.epoch + 1, Lease(owners)
    connection.execute(
        "UPDATE session SET epoch = ?, lease = ?, owner = ? WHERE key = ?",
        (epoch, lease.path.name, this_process(epoch, contact), row.key),
    )
    return Taken(row, info, epoch, lease)


def replace(connection: Connection, key: int, info: SessionInfo) -> None:
    """Replace the metadata; fields of a newer version that we do not know stay.

    Raises:
        RecordInvalid: as `metadata.columns`.

    """
    (old,) = connection.execute("SELECT info FROM session WHERE key = ?", (key,)).fetchone()
    columns = metadata.columns(info, old)
    changes = ", ".join(f"{name} = :{name}" for name in columns)
    connection.execute(f"UPDATE session SET {changes} WHERE key = :key", {"key": key, **columns})


def delete(connection: Connection, owners: Path, session: SessionId, trashed: str) -> None:
    """See `SessionStore.delete`; its records and messages go with the row.

    Raises:
        SessionNotFound, Held, RecordInvalid.

    """
    row = find(connection, session)
    require_free(row, owners)
    if trashed and row.metadata().trashed != trashed:
        raise SessionNotFound(f"The session {session} is not in the trash since {trashed}.", session=session)
    connection.execute("DELETE FROM session WHERE key = ?", (row.key,))
    if row.lease:
        (owners / row.lease).unlink(missing_ok=True)  # of an owner that was killed


def require_free(row: Row, owners: Path) -> None:
    """Make sure that nobody holds a session.

    Raises:
        Held: somebody does.

    """
    if owner := holder(row, owners):
        raise held(row.id, owner)


def holder(row: Row, owners: Path) -> dict[str, Any]:
    """Who holds a session, empty for nobody."""
    return owner_of(row.owner) if row.lease and is_held(owners / row.lease) else {}
