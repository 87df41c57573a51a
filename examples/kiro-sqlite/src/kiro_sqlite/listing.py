"""Which sessions a query finds, in pages that hold still: a page begins behind the last session of the one before."""

from __future__ import annotations

from sqlite3 import Connection

from kiro_core.types import Page, SessionId, SessionInfo, SessionQuery

from .metadata import is_text
from .sessions import Row

_MOST = 2**63 - 1
_MATCHES = """
    (trashed <> '') = :trashed
    AND :name IN ('', name)
    AND (:cwd = '' OR cwd = :cwd OR realpath(cwd) = realpath(:cwd))
    AND (:tag = '' OR EXISTS (SELECT 1 FROM json_each(info, '$.tags') WHERE value = :tag))
"""


def page_of(connection: Connection, query: SessionQuery, cursor: str | None, limit: int) -> Page[SessionInfo]:
    """See `SessionStore.list`; a cursor is the place of the last session that was shown.

    Raises:
        ValueError: it is none, or the limit is less than 1.

    """
    if limit < 1:
        message = f"A page holds at least one session, not {limit}."
        raise ValueError(message)
    behind, updated, last = "", "", ""
    if cursor is not None:
        behind, (updated, last) = "AND (updated, id) < (:updated, :last)", _place_in(cursor)
    if not is_text(query.name + query.cwd + query.tag):
        return Page([], None, _damaged(connection))
    values = {"name": query.name, "cwd": query.cwd, "tag": query.tag, "trashed": query.trashed}
    rows = connection.execute(
        f"SELECT {', '.join(Row._fields)} FROM session WHERE readable(id, info, format) AND {_MATCHES} {behind}"
        " ORDER BY updated DESC, id DESC LIMIT :limit",
        {**values, "updated": updated, "last": last, "limit": min(limit + 1, _MOST)},
    )
    found = [Row(*row).metadata() for row in rows]
    items = found[:limit]
    return Page(items, _place(items[-1]) if len(found) > limit else None, _damaged(connection))


def _damaged(connection: Connection) -> list[SessionId]:
    rows = connection.execute("SELECT id FROM session WHERE NOT readable(id, info, format) ORDER BY id")
    return [SessionId(session) for (session,) in rows]


def _place(info: SessionInfo) -> str:
    return f"{info.updated} {info.id}"


def _place_in(cursor: str) -> tuple[str, str]:
    updated, space, session = cursor.partition(" ")
    if not (space and is_text(cursor)):
        message = "The cursor is not one of this store's; list again from the beginning."
        raise ValueError(message)
    return updated, session
