"""List the sessions of a folder, newest first, in pages that hold still while sessions change."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from heapq import nlargest
from pathlib import Path

import msgspec

from kiro_core.errors import RecordInvalid
from kiro_core.types import Page, SessionId, SessionInfo, SessionQuery
from kiro_files.files import is_id, read_whole
from kiro_files.metadata import parse

_Place = tuple[str, str]
_decode_place = msgspec.json.Decoder(_Place).decode


def list_page(folder: Path, query: SessionQuery, cursor: str | None, limit: int) -> Page[SessionInfo]:
    """One page of the sessions that match; the cursor is the place of the last one shown.

    Raises:
        ValueError: the cursor is not one of ours, or the limit is less than 1.
        OSError: the folder cannot be read.

    """
    if limit < 1:
        message = f"A page holds at least one session, not {limit}."
        raise ValueError(message)
    behind = _place_in(cursor) if cursor is not None else None
    matches = _matcher(query)
    damaged: list[SessionId] = []
    found = (info for info in _scan(folder, damaged) if matches(info) and (behind is None or _place(info) < behind))
    # One more than a page, to know whether it is the last; never all that match.
    first = nlargest(limit + 1, found, key=_place)
    items = first[:limit]
    return Page(items, _cursor(items[-1]) if len(first) > limit else None, sorted(damaged))


def _scan(folder: Path, damaged: list[SessionId]) -> Iterator[SessionInfo]:
    """All metadata that can be read; what vanishes meanwhile is left out, and of what is damaged the id noted."""
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        with os.scandir(fd) as entries:
            there = {entry.name for entry in entries}
        damaged += _without_metadata(there, fd)
        for name in there:
            if not name.endswith(".json"):
                continue
            session = SessionId(name.removesuffix(".json"))
            if not is_id(session):
                continue
            try:
                info = parse(read_whole(name, dir_fd=fd), session)
            except FileNotFoundError:
                continue
            except (RecordInvalid, OSError):
                damaged.append(session)
                continue
            yield info
    finally:
        os.close(fd)


def _without_metadata(there: set[str], fd: int) -> Iterator[SessionId]:
    """Sessions of which only records are left."""
    for name in there:
        session, _, kind = name.partition(".")
        if kind == "jsonl" and f"{session}.json" not in there and is_id(session):
            with suppress(FileNotFoundError):
                if os.stat(name, dir_fd=fd).st_size:
                    yield SessionId(session)


def _matcher(query: SessionQuery) -> Callable[[SessionInfo], bool]:
    real = cache(os.path.realpath)
    cwd = real(query.cwd) if query.cwd else ""

    def matches(info: SessionInfo) -> bool:
        return (
            bool(info.trashed) is query.trashed
            and query.name in ("", info.name)
            and query.tag in ("", *info.tags)
            and (not cwd or info.cwd == query.cwd or real(info.cwd) == cwd)
        )

    return matches


def _place(info: SessionInfo) -> _Place:
    return info.updated, info.id


def _cursor(info: SessionInfo) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(_place(info))).decode()


def _place_in(cursor: str) -> _Place:
    try:
        place: _Place = _decode_place(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (ValueError, msgspec.MsgspecError) as error:
        message = "The cursor is not one of this store's; list again from the beginning."
        raise ValueError(message) from error
    return place
