"""One session, held: what its owner may do, refused as soon as it is the owner no more."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import anyio
from anyio import to_thread

from kiro_core.errors import Fenced, Unavailable
from kiro_core.types import Record, SessionInfo
from kiro_files import backwards, metadata
from kiro_files.files import Files, unavailable
from kiro_files.opening import Holding

_LEAVE_SECONDS = 5
_flush = os.fdatasync if hasattr(os, "fdatasync") else os.fsync


class FileDb:
    """A held session; `append` runs in the event loop, what waits for the disk in a worker thread."""

    def __init__(self, files: Files, holding: Holding) -> None:
        """Own what `opening` took; `leave` gives it back."""
        self._files = files
        self._lease, self._log, self._info = holding
        self._left = False
        self._disk = anyio.Lock()
        self.lost = anyio.Event()

    @property
    def info(self) -> SessionInfo:
        """Its metadata as last written."""
        return self._info

    @property
    def epoch(self) -> int:
        """The fence of this acquisition, 1 or more."""
        return self._log.epoch

    @property
    def head(self) -> int:
        """The number of the last record, 0 for none."""
        return self._log.seq

    async def append(self, batch: Sequence[bytes]) -> int:
        """Write a batch with one call and return the new head; never suspends.

        Raises:
            ValueError: a body is not one line that looks like a JSON object.
            Fenced, Unavailable.

        """
        self._check()
        try:
            return self._log.append(batch) if batch else self.head
        except OSError as error:
            raise self._unavailable(error) from error

    async def commit(self) -> None:
        """Flush the log to the disk.

        Raises:
            Fenced, Unavailable.

        """
        async with self._on_disk():
            await to_thread.run_sync(_flush, self._lease.log_fd)

    async def tail(self, count: int) -> Sequence[Record]:
        """The last `count` records, oldest first; reads from the end of the log.

        Raises:
            Fenced, Unavailable.

        """
        async with self._on_disk():
            return await to_thread.run_sync(backwards.last, self._lease.log_fd, self._log.end, count)

    async def put_info(self, info: SessionInfo) -> None:
        """Replace the metadata, durable on return; fields that we do not know stay.

        Raises:
            ValueError: it is another session's.
            Fenced, Unavailable.

        """
        if info.id != self._files.id:
            message = f"The metadata of {info.id} cannot replace that of {self._files.id}."
            raise ValueError(message)
        async with self._on_disk():
            await to_thread.run_sync(metadata.replace, self._files, info, self.epoch, self._lease.check)
            self._info = info

    async def leave(self) -> None:
        """Let a flush or a replacement in flight end, then give the session back."""
        self._left = True
        try:
            with anyio.move_on_after(_LEAVE_SECONDS, shield=True):
                await self._disk.acquire()
        finally:
            self._lease.release()

    @asynccontextmanager
    async def _on_disk(self) -> AsyncIterator[None]:
        """One slow operation at a time, so that leaving can wait for the last one."""
        self._check()
        async with self._disk:
            self._check()
            try:
                yield
            except Fenced:
                self.lost.set()
                raise
            except OSError as error:
                raise self._unavailable(error) from error

    def _check(self) -> None:
        if self._left:
            raise Fenced(
                f"The session {self._files.id} is not held any more.",
                hint="Open it again to go on.",
                session=self._files.id,
            )
        try:
            self._lease.check()
        except Fenced:
            self.lost.set()
            raise
        except OSError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: OSError) -> Unavailable:
        return unavailable(error, f"The session {self._files.id} could not be stored in {self._files.folder}")
