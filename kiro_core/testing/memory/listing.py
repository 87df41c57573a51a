"""Which sessions a query finds, and one page of them that holds still while sessions come and go."""

from __future__ import annotations

import os
from collections.abc import Iterable

from kiro_core.types import Page, SessionInfo, SessionQuery


def page_of(infos: Iterable[SessionInfo], query: SessionQuery, cursor: str | None, limit: int) -> Page[SessionInfo]:
    """See `SessionStore.list`; a cursor is the place of the last session that was shown.

    Raises:
        ValueError: it is none.

    """
    found = sorted((info for info in infos if _matches(info, query)), key=_place, reverse=True)
    if cursor is not None:
        behind = _place_in(cursor)
        found = [info for info in found if _place(info) < behind]
    more = len(found) > limit
    return Page(found[:limit], " ".join(_place(found[limit - 1])) if more else None)


def _matches(info: SessionInfo, query: SessionQuery) -> bool:
    return (
        bool(info.trashed) is query.trashed
        and query.name in ("", info.name)
        and query.tag in ("", *info.tags)
        and (not query.cwd or os.path.realpath(info.cwd) == os.path.realpath(query.cwd))
    )


def _place(info: SessionInfo) -> tuple[str, str]:
    return info.updated, info.id


def _place_in(cursor: str) -> tuple[str, str]:
    updated, space, session = cursor.partition(" ")
    if not space:
        message = "The cursor is not one of this store's; list again from the beginning."
        raise ValueError(message)
    return updated, session
