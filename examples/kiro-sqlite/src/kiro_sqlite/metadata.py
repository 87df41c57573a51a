"""A session's metadata as one JSON text, whole or refused."""

from __future__ import annotations

from typing import Any

import msgspec
from kiro_core.errors import RecordInvalid
from kiro_core.types import FORMAT, SessionId, SessionInfo

_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_decode = msgspec.json.Decoder(SessionInfo).decode
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def decode(session: SessionId, text: str, found: int) -> SessionInfo:
    """The metadata of a session, from their text and the format that was `found`.

    Raises:
        RecordInvalid: they are damaged or of a newer format.

    """
    if found > FORMAT:
        raise RecordInvalid(
            f"The session {session} has format {found}, this version reads format {FORMAT}.",
            hint="Update kiro-core to open it.",
            format=found,
        )
    try:
        return _decode(text)
    except _UNREADABLE as error:
        raise RecordInvalid(
            f"The metadata of the session {session} is damaged: {error}.",
            hint=f"`kiro-core sessions verify {session} --repair` makes it anew from what can be read of it.",
        ) from error


def is_readable(session: SessionId, text: str, found: int) -> bool:
    """Whether `decode` gives them."""
    try:
        decode(session, text, found)
    except RecordInvalid:
        return False
    return True


def is_text(text: str) -> bool:
    """Whether it can be stored, and found: a name of the system that is not UTF-8 can not."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def columns(info: SessionInfo, old: str) -> dict[str, Any]:
    """What stands in a session's row: the text, with fields of the old one that we do not know, and copies of some.

    Raises:
        RecordInvalid: a field is no text, such as the name of a folder that is not UTF-8.

    """
    try:
        text = msgspec.json.encode({**_fields(old), **msgspec.to_builtins(info)}).decode()
    except UnicodeEncodeError as error:
        raise RecordInvalid(
            f"The metadata of the session {info.id!r} cannot be stored: {error.object!r} is no Unicode text.",
            hint="Give the folder a name in UTF-8, and the session one of printable characters.",
        ) from error
    named = {name: getattr(info, name) for name in ("format", "updated", "name", "cwd", "trashed")}
    return {"info": text, **named}


def _fields(text: str) -> dict[str, Any]:
    try:
        return dict(_decode_fields(text))
    except _UNREADABLE:
        return {}
