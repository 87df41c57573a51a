"""List the sessions of a folder, newest first, in pages that hold still while sessions change."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import cache
from operator import itemgetter
from pathlib import Path

import msgspec

from kiro_core.errors import RecordInvalid
from kiro_core.types import Page, SessionId, SessionInfo, SessionQuery
from kiro_files.files import is_id, read_whole
from kiro_files.metadata import parse

_NAME = len("00000000-0000-4000-8000-000000000000.json")
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
    # One more than a page, to know whether it is the last.
    newest = _Newest(limit + 1)
    for info in _scan(folder, damaged):
        place = info.updated, info.id
        if place > newest.above and (behind is None or place < behind) and matches(info) and is_id(info.id):
            newest.add(place, info)
    found = newest.sorted()
    items = found[:limit]
    return Page(items, _cursor(items[-1]) if len(found) > limit else None, sorted(damaged))


class _Newest:
    """Keeps the newest few of any number, of which there are never all: one comparison for most of them.

    What has its place not `above` is none of them.
    """

    def __init__(self, count: int) -> None:
        self.above: _Place = ("", "")
        self._count = count
        self._kept: list[tuple[_Place, SessionInfo]] = []

    def add(self, place: _Place, info: SessionInfo) -> None:
        self._kept.append((place, info))
        if len(self._kept) >= 2 * self._count:
            self._cut()
            self.above = self._kept[-1][0]

    def sorted(self) -> list[SessionInfo]:
        self._cut()
        return [info for _, info in self._kept]

    def _cut(self) -> None:
        self._kept.sort(key=itemgetter(0), reverse=True)
        del self._kept[self._count :]


def _scan(folder: Path, damaged: list[SessionId]) -> Iterator[SessionInfo]:
    """All metadata that can be read; what vanishes meanwhile is left out, and of what is damaged the id noted.

    A file whose name is as long as an id and none, and which says that it is its id, may be among them.
    """
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    try:
        # In their order on the disk, in which they are read fastest.
        there = os.listdir(fd)  # noqa: PTH208 - a Path has no descriptor
        metadata = [name for name in there if len(name) == _NAME and name[-5:] == ".json"]
        damaged += _without_metadata({name[:-1] for name in there if name[-6:] == ".jsonl"}.difference(metadata), fd)
        for name in metadata:
            try:
                yield parse(read_whole(name, fd), SessionId(name[:-5]))
            except FileNotFoundError:
                continue
            except (RecordInvalid, OSError):
                if is_id(name[:-5]):
                    damaged.append(SessionId(name[:-5]))
    finally:
        os.close(fd)


def _without_metadata(missing: Iterable[str], fd: int) -> Iterator[SessionId]:
    """Sessions of which only records are left, by the names of the metadata that are missing."""
    for name in missing:
        if is_id(name[:-5]):
            with suppress(FileNotFoundError):
                if os.stat(f"{name}l", dir_fd=fd).st_size:
                    yield SessionId(name[:-5])


def _matcher(query: SessionQuery) -> Callable[[SessionInfo], bool]:
    real = cache(_real)
    cwd = real(query.cwd) if query.cwd else ""

    def matches(info: SessionInfo) -> bool:
        return (
            bool(info.trashed) is query.trashed
            and query.name in ("", info.name)
            and query.tag in ("", *info.tags)
            and (not cwd or info.cwd == query.cwd or real(info.cwd) == cwd)
        )

    return matches


def _real(folder: str) -> str:
    try:
        return os.path.realpath(folder)
    except ValueError:  # no folder can have that name
        return folder


def _cursor(info: SessionInfo) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode((info.updated, info.id))).decode()


def _place_in(cursor: str) -> _Place:
    try:
        place: _Place = _decode_place(base64.b64decode(cursor, altchars=b"-_", validate=True))
    except (ValueError, msgspec.MsgspecError) as error:
        message = "The cursor is not one of this store's; list again from the beginning."
        raise ValueError(message) from error
    return place
