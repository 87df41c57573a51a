"""One session, held: what its owner may do, refused as soon as it is the owner no more."""

from __future__ import annotations

from collections.abc import Sequence

import anyio
from anyio import to_thread

from kiro_core.errors import Fenced
from kiro_core.types import Message, Record, SessionInfo
from kiro_files import metadata, seeking
from kiro_files.committing import Committer
from kiro_files.disk import Disk
from kiro_files.files import Files
from kiro_files.opening import Holding
from kiro_files.settling import Settling
from kiro_files.telling import Told
from kiro_files.waking import Bell


class FileDb:
    """A held session; `append` runs in the event loop, what waits for the disk in the store's committer."""

    def __init__(self, files: Files, holding: Holding, committer: Committer) -> None:
        """Own what `opening` took; `leave` gives it back."""
        self._files = files
        self._lease, self._log, self._info, found = holding
        self._disk = Disk(committer, self._lease)
        self._settling = Settling(files, found, self._log.end)
        self._left = False
        self.bell = Bell()
        self.lost = anyio.Event()
        self._told = Told(files, self._disk, self.lost)

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

    async def append(self, batch: Sequence[bytes], *, consume: Sequence[str] = ()) -> int:
        """Write a batch with one call and return the new head; suspends only to look for messages not seen yet.

        Raises:
            ValueError: a body is not one line that looks like a JSON object; or as `SessionDb.append` says.
            Fenced, Unavailable.

        """
        if not consume:
            return self.append_nowait(batch)
        if not self._settling.knows(consume):
            await self.pending()
        with self._told:
            self._check()
            return self._settling.settle(batch, consume, self._log)

    def append_nowait(self, batch: Sequence[bytes]) -> int:
        """See `PromptDb.append_nowait`."""
        with self._told:
            self._check()
            return self._log.append(batch) if batch else self.head

    async def commit(self) -> None:
        """Flush the log to the disk; commits that wait for one flush share the next.

        Raises:
            Fenced, Unavailable: once a flush has failed, everything that follows is refused.

        """
        with self._told:
            self._require_held()
            note = self._settling.due(self._log, self._lease.check)
            await self._disk.flush(self._log.end)
            if note is not None:
                self._disk.later(note)

    async def tail(self, count: int) -> Sequence[Record]:
        """The last `count` records, oldest first; reads from the end of the log.

        Raises:
            Fenced, Unavailable.

        """
        log, fd = self._log, self._lease.log_fd
        with self._told:
            self._check()
            return await to_thread.run_sync(seeking.last, fd, log.end, log.seq, count, abandon_on_cancel=True)

    async def pending(self) -> Sequence[Message]:
        """The messages that are not settled, in the order in which they came.

        Raises:
            Fenced, Unavailable, RecordInvalid: a newer format.

        """
        with self._told:
            self._check()
            return await self._settling.pending()

    async def woken(self) -> None:
        """Wait until somebody rings the bell, or has since the last time.

        Raises:
            Fenced.

        """
        with self._told:
            self._require_held()
            await self.bell.heard()
            self._require_held()

    async def put_info(self, info: SessionInfo) -> None:
        """Replace the metadata, durable on return; fields that we do not know stay.

        Raises:
            ValueError: it is another session's.
            Fenced, RecordInvalid, Unavailable.

        """
        if info.id != self._files.id:
            message = f"The metadata of {info.id} cannot replace that of {self._files.id}."
            raise ValueError(message)
        with self._told:
            self._check()
            await self._disk.do(lambda: self._replace(info))

    async def leave(self) -> None:
        """Give the session back; bounded, see `Disk.leave`."""
        self._left = True
        self.bell.ring()
        await self._disk.leave()

    def _replace(self, info: SessionInfo) -> None:
        metadata.replace(self._files, info, self.epoch, self._lease.check)
        self._info = info

    def _check(self) -> None:
        self._require_held()
        self._disk.check()

    def _require_held(self) -> None:
        if self._left:
            raise Fenced(
                f"The session {self._files.id} is not held any more.",
                hint="Open it again to go on.",
                session=self._files.id,
            )
