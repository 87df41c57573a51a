"""One thread of a store waits for the disk, one job at a time, so that neither the event loop nor a lease ever does.

Whoever asked may give up waiting; the job is done all the same, and what comes behind it too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import anyio
from anyio.lowlevel import current_token


class Job:
    """Something that blocks on the disk: `begun` when it does, `done` when it has ended, with an error or without."""

    __slots__ = ("_action", "_soon", "begun", "done", "error")

    def __init__(self, action: Callable[[], object]) -> None:
        """Nothing happens yet."""
        self._action = action
        self._soon = _soon()
        self.begun = False
        self.done = anyio.Event()
        self.error: Exception | None = None

    async def ended(self) -> None:
        """Wait until it has ended, and raise what it raised."""
        await self.done.wait()
        if self.error is not None:
            raise self.error

    def run(self) -> None:
        """Do it, in the thread."""
        self.begun = True
        try:
            self._action()
        except Exception as error:  # noqa: BLE001 - whoever waits must learn of any failure
            self.error = error
        with suppress(RuntimeError):  # nobody waits any more: the event loop has ended
            self._soon(self.done.set)


def _soon() -> Callable[[Callable[[], object]], object]:
    """How another thread has something done in this event loop, without waiting for it.

    `anyio.from_thread` waits until it has been done; meanwhile the disk would have nothing to do.
    """
    loop: Any = current_token().native_token
    soon: Callable[[Callable[[], object]], object] = (
        loop.call_soon_threadsafe if hasattr(loop, "call_soon_threadsafe") else loop.run_sync_soon  # asyncio, trio
    )
    return soon


class Committer:
    """Runs jobs in the order in which they were begun; its thread begins with the first one."""

    def __init__(self) -> None:
        """No thread yet."""
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None

    def begin(self, action: Callable[[], object]) -> Job:
        """Let the thread do this next."""
        job = Job(action)
        self._jobs.put(job)
        if self._thread is None:
            # A daemon: a disk that hangs must not keep the program from ending.
            self._thread = threading.Thread(target=self._run, name="kiro_files committer", daemon=True)
            self._thread.start()
        return job

    def close(self) -> None:
        """Let the thread end behind the last job; it is not waited for."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (job := self._jobs.get()) is not None:
            job.run()
