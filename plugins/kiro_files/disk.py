"""What one held session has the committer do: flushes that are shared, and an end that nothing comes behind."""

from __future__ import annotations

import os
from collections.abc import Callable

import anyio
from anyio.lowlevel import cancel_shielded_checkpoint

from kiro_files.committing import Committer, Job
from kiro_files.lease import Lease

_LEAVE_SECONDS = 5
_flush = os.fdatasync if hasattr(os, "fdatasync") else os.fsync


class Disk:
    """The disk as one session sees it; `failed` is the error of a flush, after which nothing more is stored."""

    def __init__(self, committer: Committer, lease: Lease) -> None:
        """Work for a session that is held."""
        self.failed: OSError | None = None
        self._committer = committer
        self._lease = lease
        self._durable = -1
        self._flushing: Job | None = None
        self._gathering: Job | None = None
        self._last: Job | None = None

    async def flush(self, end: int) -> None:
        """Make the log durable up to an offset; whoever waits for the same flush shares it.

        Raises:
            Fenced: the lease is gone.
            OSError: this flush or an earlier one failed.

        """
        if self._durable >= end:
            self.check()
            return
        flushing = self._flushing
        if flushing is None or flushing.begun:
            self._flushing = self._gathering = flushing = Job(self._flush)
            try:
                await cancel_shielded_checkpoint()  # whoever is about to write as well shares it
            finally:  # a cancellation of the event loop's own knows no shield
                self._hand_over()
        await flushing.ended()
        self._durable = max(self._durable, end)

    def check(self) -> None:
        """Make sure that what is written now counts.

        Raises:
            Fenced: the lease is gone.
            OSError: a flush has failed, or the disk does not answer.

        """
        self._lease.check()
        if self.failed is not None:
            raise self.failed

    async def do(self, action: Callable[[], object]) -> None:
        """Do something that blocks, behind everything that was begun before; it is done even if nobody waits."""
        await self._begin(action).ended()

    def later(self, action: Callable[[], object]) -> None:
        """Do something that blocks, behind everything that was begun before; nobody learns whether it failed."""
        self._begin(action)

    async def leave(self) -> None:
        """Give the lease back behind everything else; for that, wait a few seconds at most.

        When the disk hangs, the session stays held until it has ended: an owner that has left writes nothing.
        """
        self._hand_over()
        if self._last is None or self._last.done.is_set():
            self._lease.release()
            return
        released = self._begin(self._lease.release)
        with anyio.move_on_after(_LEAVE_SECONDS, shield=True):
            await released.done.wait()

    def _begin(self, action: Callable[[], object]) -> Job:
        self._hand_over()
        return self._hand(Job(action))

    def _hand_over(self) -> None:
        """Have the flush begun that is being gathered, if any."""
        gathering, self._gathering = self._gathering, None
        if gathering is not None:
            self._hand(gathering)

    def _hand(self, job: Job) -> Job:
        self._last = job
        self._committer.begin(job)
        return job

    def _flush(self) -> None:
        self.check()
        try:
            _flush(self._lease.log_fd)
        except OSError as error:
            # The kernel tells it once: the next flush of the same pages would look like a success.
            self.failed = error
            raise
