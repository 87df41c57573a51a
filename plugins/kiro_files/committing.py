"""One thread of a store waits for the disk, one job at a time, so that neither the event loop nor a lease ever does.

Whoever asked may give up waiting; the job is done all the same, and what comes behind it too.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import anyio
from anyio.lowlevel import current_token


class Job:
    """Something that blocks on the disk: `begun` when it does, `done` when it has ended, with an error or without."""

    __slots__ = ("_action", "begun", "done", "error")

    def __init__(self, action: Callable[[], object]) -> None:
        """Nothing happens yet."""
        self._action = action
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


class _Loop:
    """Who waits for jobs: an event loop, which is woken once for all that has ended by the time it looks."""

    def __init__(self, token: Any) -> None:
        self.token = token
        # `anyio.from_thread` waits until it has been done; meanwhile the disk would have nothing to do.
        on_asyncio = hasattr(token, "call_soon_threadsafe")
        self._soon: Callable[[Callable[[], object]], object] = (
            token.call_soon_threadsafe if on_asyncio else token.run_sync_soon
        )
        self._ended = deque[Job]()
        self._woken = False

    def tell(self, job: Job) -> None:
        """Have it learn that a job has ended; called by the thread."""
        self._ended.append(job)
        if self._woken:
            return  # it has not looked yet
        self._woken = True
        with suppress(RuntimeError):  # nobody waits any more: the event loop has ended
            self._soon(self._look)

    def _look(self) -> None:
        self._woken = False  # first: what ends from now on wakes it again
        while self._ended:
            self._ended.popleft().done.set()


class Committer:
    """Runs jobs in the order in which they were begun; its thread begins with the first one."""

    def __init__(self) -> None:
        """No thread yet."""
        self._jobs: SimpleQueue[tuple[Job, _Loop] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: _Loop | None = None

    def begin(self, job: Job) -> None:
        """Let the thread do this next; the event loop that runs now is told when it has ended."""
        token = current_token().native_token
        if self._loop is None or self._loop.token is not token:
            self._loop = _Loop(token)
        self._jobs.put((job, self._loop))
        if self._thread is None:
            # A daemon: a disk that hangs must not keep the program from ending.
            self._thread = threading.Thread(target=self._run, name="kiro_files committer", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Let the thread end behind the last job; it is not waited for."""
        self._jobs.put(None)

    def _run(self) -> None:
        while (begun := self._jobs.get()) is not None:
            job, loop = begun
            job.run()
            loop.tell(job)
