"""Bring a session back from its archive, as a whole or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import uuid4

import anyio
from anyio import to_thread

from kiro_core.archive import read_archive
from kiro_core.dispatcher.labels import labels, require_free
from kiro_core.errors import ArchiveInvalid, Held, KiroError, LabelInvalid, SessionNotFound, Unavailable
from kiro_core.journal import utc_now
from kiro_core.ports import SessionStore
from kiro_core.types import SessionId, SessionInfo

_PART = 2**20
_UNDO_S = 10.0
_UNFINISHED = "Import that was not finished"
"""The title of a session until all its records are stored, which only a killed process leaves behind."""


_UNTAKEN: Mapping[str, Any] = {
    # The store numbers the records anew, and what is imported is wanted.
    "configured": 0,
    "trashed": "",
    # Whoever made the archive has not the say here: what was allowed there is asked here.
    "answers": (),
    "mode": "",
    "options": {},
    # Nor which session of this place it stands below.
    "parent": "",
    "inherited": (),
    # Nor which sessions it has spawned.
    "crew": {},
}
"""What an archive says of its session and does not count."""


class _Kept:
    """Bodies of records in a temporary file, one a line, until all of them have been verified."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._waiting = bytearray()

    async def keep(self, body: bytes) -> None:
        self._waiting += body + b"\n"
        if len(self._waiting) >= _PART:
            await self._write()

    async def rewind(self) -> None:
        await self._write()
        with _explained():
            await to_thread.run_sync(self._file.seek, 0)

    async def batch(self) -> list[bytes]:
        with _explained():
            lines = await to_thread.run_sync(self._file.readlines, _PART)
        return [line[:-1] for line in lines]

    async def _write(self) -> None:
        with _explained():
            await to_thread.run_sync(self._file.write, bytes(self._waiting))
        self._waiting.clear()


async def import_archive(store: SessionStore, chunks: AsyncIterator[bytes], *, new_id: bool) -> SessionInfo:
    """Verify an archive, then store its session: see `Desk.import_session`."""
    with ExitStack() as stack:
        with _explained():
            kept = _Kept(stack.enter_context(TemporaryFile()))
        info = await read_archive(chunks, kept.keep)
        _check(info)
        info = replace(info, **_UNTAKEN, imported=utc_now())
        await kept.rewind()
        if new_id:
            # A copy: two sessions cannot share a name, and must not go on with one conversation of the agent.
            info = replace(info, id=SessionId(str(uuid4())), name="", agent_session="")
        else:
            await _require_absent(store, info.id)
            await require_free(store, info.name, info)
        await _create(store, info, kept)
    return info


def _check(info: SessionInfo) -> None:
    """An archive may come from anywhere: what a person could not write is not let in.

    Raises:
        ArchiveInvalid: a label or a time is none.

    """
    try:
        labels(info.title, info.name, info.tags)
        for time in (info.created, info.updated):
            if datetime.fromisoformat(time).tzinfo is None:
                raise ArchiveInvalid(f"The archive has a time without a zone: {time!r}.")
    except (LabelInvalid, ValueError) as error:
        raise ArchiveInvalid(f"The archive's session cannot be taken: {error}", hint="Export it again.") from error


async def _require_absent(store: SessionStore, session: SessionId) -> None:
    try:
        there = await store.get(session)
    except SessionNotFound:
        return
    raise Held(
        f"The session {session} exists already{', in the trash' if there.trashed else ''}.",
        hint="Import it with a new id (--new-id), or delete the one that is there.",
        session=session,
    )


async def _create(store: SessionStore, info: SessionInfo, kept: _Kept) -> None:
    created = False
    try:
        async with store.create(replace(info, title=_UNFINISHED, name="", tags=())) as db:
            created = True
            while batch := await kept.batch():
                await db.append(batch)
            await db.commit()
            await db.put_info(info)
    except BaseException:
        if created:
            await _undo(store, info.id)
        raise


async def _undo(store: SessionStore, session: SessionId) -> None:
    try:
        with anyio.move_on_after(_UNDO_S, shield=True):
            await store.delete(session)
    except KiroError:
        # What made the import fail is told; the title of what stays behind says the rest.
        return


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(
            f"The archive could not be kept while it was verified: {error.strerror or error}.",
            hint="See whether the folder for temporary files ($TMPDIR) is full.",
        ) from error
