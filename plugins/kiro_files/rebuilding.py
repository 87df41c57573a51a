"""Make metadata anew from what is left of a damaged file, so that a session whose log is whole can be opened."""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, get_type_hints

import msgspec

from kiro_core.types import FORMAT, SessionInfo
from kiro_files.files import Files, read_whole, sync_folder, write_durable
from kiro_files.lines import UNREADABLE

_FIELD = re.compile(rb'"(\w+)"\s*:\s*("(?:[^"\\\x00-\x1f]|\\.)*"|true|false|\[[^\[\]]*\])')
_TYPES = {name: kind for name, kind in get_type_hints(SessionInfo).items() if name not in ("id", "format")}
_NOWHERE = "/"


def rebuild(files: Files) -> SessionInfo:
    """What can be said of a session whose metadata cannot be read; a copy of the damaged file is kept beside.

    The id comes from the file's name, each field that can still be read from what is left, times from the
    log, and a folder that nobody knows is `/`.

    Raises:
        OSError: the disk failed.

    """
    text = b""
    with suppress(FileNotFoundError):
        text = read_whole(files.metadata)
        _keep(files, text)
    changed = datetime.fromtimestamp(files.log.stat().st_mtime, UTC)
    when = changed.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    known: dict[str, Any] = {"cwd": _NOWHERE, "created": when, "updated": when, **_salvaged(text)}
    return SessionInfo(id=files.id, format=FORMAT, **known)


def _keep(files: Files, text: bytes) -> None:
    write_durable(files.metadata.with_suffix(".json.damaged"), text)
    sync_folder(files.folder)


def _salvaged(text: bytes) -> dict[str, Any]:
    """The fields that can be read one by one, the first of each name."""
    found: dict[str, Any] = {}
    for name, value in _FIELD.findall(text):
        kind = _TYPES.get(name.decode())
        if kind is not None and name.decode() not in found:
            with suppress(*UNREADABLE):
                found[name.decode()] = msgspec.json.decode(value, type=kind)
    return found
