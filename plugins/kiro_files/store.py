"""The store of one folder: hand out sessions to hold, and let anybody read without holding."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from anyio import to_thread

from kiro_core.ports import SessionDb
from kiro_core.types import Page, Record, SessionId, SessionInfo, SessionQuery
from kiro_files import metadata
from kiro_files.db import FileDb
from kiro_files.files import Files, is_id, unavailable
from kiro_files.listing import list_page
from kiro_files.opening import Holding, create_session, open_session
from kiro_files.reading import read_part
from kiro_files.removing import delete_session
from kiro_files.waiting import wait_until_free


class FileStore:
    """Sessions as files in one folder, which appears with the first session."""

    def __init__(self, root: Path) -> None:
        """`root` is absolute; nothing is touched yet."""
        self._root = root

    @asynccontextmanager
    async def create(self, info: SessionInfo) -> AsyncIterator[SessionDb]:
        """Make a session and hold it.

        Raises on entering:
            ValueError: the id is not a canonical lower-case UUID.
            Held, Unavailable.

        """
        if not is_id(info.id):
            message = f"A session's id is a lower-case UUID, not {info.id!r}."
            raise ValueError(message)
        files = Files(self._root, info.id)
        async with _held(files, lambda: create_session(files, info)) as db:
            yield db

    @asynccontextmanager
    async def open(self, session: SessionId) -> AsyncIterator[SessionDb]:
        """Hold a session that exists.

        Raises on entering:
            SessionNotFound, Held, RecordInvalid, Unavailable.

        """
        files = Files(self._root, session)
        async with _held(files, lambda: open_session(files)) as db:
            yield db

    async def get(self, session: SessionId) -> SessionInfo:
        """Its metadata, held or not.

        Raises:
            SessionNotFound, RecordInvalid, Unavailable.

        """
        files = Files(self._root, session)
        with _explained(f"The session {session} could not be read"):
            info, _ = await to_thread.run_sync(metadata.load, files, abandon_on_cancel=True)
        return info

    async def freed(self, session: SessionId) -> None:
        """Wait until nobody holds it.

        Raises:
            SessionNotFound, Unavailable.

        """
        files = Files(self._root, session)
        with _explained(f"Nothing tells when the session {session} is free"):
            await to_thread.run_sync(metadata.require, files, abandon_on_cancel=True)
            await wait_until_free(files)

    async def list(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """Metadata of matching sessions, the newest `updated` first.

        Raises:
            ValueError: the cursor is not one of ours, or the limit is less than 1.
            Unavailable.

        """
        with _explained(f"The sessions in {self._root} could not be listed"):
            return await to_thread.run_sync(list_page, self._root, query, cursor, limit, abandon_on_cancel=True)

    async def delete(self, session: SessionId) -> None:
        """Remove a session with all its files, durable on return.

        Raises:
            SessionNotFound, Held, Unavailable.

        """
        files = Files(self._root, session)
        with _explained(f"The session {session} could not be deleted in {self._root}"):
            await to_thread.run_sync(delete_session, files)

    async def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """Whole batches behind a sequence number, in order, up to the log's end at that moment.

        Raises:
            SessionNotFound: when the iteration begins, or when the session is deleted meanwhile.
            RecordInvalid: a record of a newer format.
            Unavailable.

        """
        files = Files(self._root, session)
        failed = f"The log of the session {session} could not be read"
        with _explained(failed):
            await to_thread.run_sync(metadata.require, files, abandon_on_cancel=True)
        start = 0
        while True:
            with _explained(failed):
                part = await to_thread.run_sync(read_part, files, start, abandon_on_cancel=True)
            if part is None:
                return
            for record in part.records:
                if record.seq > after:
                    yield record
            start = part.next


@asynccontextmanager
async def _held(files: Files, take: Callable[[], Holding]) -> AsyncIterator[FileDb]:
    with _explained(f"The session {files.id} could not be opened in {files.folder}"):
        holding = await to_thread.run_sync(take)
    db = FileDb(files, holding)
    try:
        yield db
    finally:
        await db.leave()


@contextmanager
def _explained(failed: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unavailable(error, failed) from error
