"""What every store that has its metadata at hand does alike, so that its author need not write it again."""

from __future__ import annotations

import os
from collections.abc import Iterable

from kiro_core.errors import RecordInvalid
from kiro_core.frames import Frame
from kiro_core.types import MESSAGE_BYTES, MESSAGE_ID_CHARACTERS, Page, SessionInfo, SessionQuery


def page_of(infos: Iterable[SessionInfo], query: SessionQuery, cursor: str | None, limit: int) -> Page[SessionInfo]:
    """One page for `SessionStore.list`, out of the metadata of all sessions; `damaged` is left to the store.

    It holds still while sessions come and go, since a cursor is the place of the last session that was shown.

    Raises:
        ValueError: the cursor is not one of these, or the limit is less than 1.

    """
    if limit < 1:
        message = f"A page holds at least one session, not {limit}."
        raise ValueError(message)
    found = sorted((info for info in infos if _matches(info, query)), key=_place, reverse=True)
    if cursor is not None:
        behind = _place_in(cursor)
        found = [info for info in found if _place(info) < behind]
    more = len(found) > limit
    return Page(found[:limit], " ".join(_place(found[limit - 1])) if more else None)


def check_message(message_id: str, body: bytes) -> None:
    """Refuse what is no message, as `SessionStore.put` has to.

    Raises:
        RecordInvalid: the id is empty, too long or not printable, or the body is no strict JSON object on one line, or
            too long.

    """
    if not (0 < len(message_id) <= MESSAGE_ID_CHARACTERS and message_id.isprintable()):
        raise RecordInvalid(
            f"The id of a message has 1 to {MESSAGE_ID_CHARACTERS} characters, all of them printable.",
            hint="Send it under another id.",
        )
    if len(body) > MESSAGE_BYTES or b"\n" in body or not Frame.read(body).strict:
        raise RecordInvalid(
            f"A message is one strict JSON object on one line, of {MESSAGE_BYTES} bytes at most.",
            hint="Send a shorter one, or several.",
        )


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
