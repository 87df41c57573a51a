"""Keep a session's metadata in one JSON object that is always either the old one or the new one."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Any

import msgspec

from kiro_core.errors import RecordInvalid
from kiro_core.types import FORMAT, SessionId, SessionInfo
from kiro_files.files import Files, not_found, read_whole, replace_file
from kiro_files.lines import UNREADABLE


class _Envelope(msgspec.Struct):
    format: int = FORMAT
    epoch: Annotated[int, msgspec.Meta(ge=0, lt=2**53)] = 0


_info = msgspec.json.Decoder(SessionInfo).decode
_envelope = msgspec.json.Decoder(_Envelope).decode
_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def load(files: Files) -> tuple[SessionInfo, int]:
    """The metadata and the epoch that is written with it.

    Raises:
        SessionNotFound: there is no such file.
        RecordInvalid: it is damaged or of a newer format.
        OSError: it cannot be read.

    """
    try:
        text = read_whole(files.metadata)
    except FileNotFoundError as error:
        raise not_found(files.id) from error
    info = parse(text, files.id)
    try:
        return info, _envelope(text).epoch
    except UNREADABLE as error:
        raise _damaged(files.id, error) from error


def require(files: Files) -> None:
    """Make sure that the session exists, whatever state its metadata is in.

    Raises:
        SessionNotFound: it does not.
        OSError: the folder cannot be read.

    """
    try:
        files.metadata.stat()
    except FileNotFoundError as error:
        raise not_found(files.id) from error


def is_newer(error: RecordInvalid) -> bool:
    """Whether metadata were refused for their format, and not for damage."""
    return "format" in error.details


def parse(text: bytes, session: SessionId) -> SessionInfo:
    """Read the text of a metadata file.

    Raises:
        RecordInvalid: it is damaged or of a newer format.

    """
    try:
        info = _info(text)
    except UNREADABLE as error:
        _refuse_newer(text, session)
        raise _damaged(session, error) from error
    if info.format > FORMAT:
        _refuse_newer(text, session)
    if info.id != session:
        raise _damaged(session, f"it belongs to {info.id}")
    return info


def replace(files: Files, info: SessionInfo, epoch: int, check: Callable[[], None]) -> None:
    """Replace the metadata by a new file, durable on return.

    Fields of the old one that we do not know stay. `check` is called first, and last before the rename, and
    raises when the session is not ours any more.

    Raises:
        RecordInvalid: a field is no text; nothing has changed.

    """
    check()
    require_text(info)
    text = msgspec.json.encode({**_stored(files), **_as_fields(info), "epoch": epoch}) + b"\n"
    replace_file(files.metadata, text, check)


def require_text(info: SessionInfo) -> None:
    """Make sure that metadata can be stored.

    Raises:
        RecordInvalid: a field is no text, such as the name of a folder that is not UTF-8.

    """
    try:
        msgspec.json.encode(info)
    except UnicodeEncodeError as error:
        raise RecordInvalid(
            f"The metadata of the session {info.id} cannot be stored: {error.object!r} is no Unicode text.",
            hint="Give the folder a name in UTF-8, and the session one of printable characters.",
            session=info.id,
        ) from error


def _as_fields(info: SessionInfo) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.to_builtins(info)
    return fields


def _stored(files: Files) -> dict[str, msgspec.Raw]:
    """The old fields as JSON text; none when there is no old file or it is damaged."""
    try:
        return _fields(read_whole(files.metadata))
    except (FileNotFoundError, *UNREADABLE):
        return {}


def _refuse_newer(text: bytes, session: SessionId) -> None:
    with suppress(*UNREADABLE):
        if (found := _envelope(text).format) > FORMAT:
            raise RecordInvalid(
                f"The session {session} has format {found}, this version reads format {FORMAT}.",
                hint="Update kiro-core to open it.",
                session=session,
                format=found,
            )


def _damaged(session: SessionId, reason: object) -> RecordInvalid:
    return RecordInvalid(
        f"The metadata of the session {session} is damaged: {reason}.",
        hint=f"`kiro-core sessions verify {session} --repair` makes it anew from what can be read of it.",
        session=session,
    )
