"""Every launch from before its start until nothing of it is left, noted where it outlives this process."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TypeVar
from uuid import uuid4

import anyio
from anyio.lowlevel import RunVar

from kiro_core.processes import ProcessMark, mark_of, start_token
from kiro_core.types import Receipt
from kiro_local.belonging import own_launches
from kiro_local.glancing import Glances
from kiro_local.receipts import Receipts, receipts_folder
from kiro_local.sweeping import NOTHING, Swept, end_launches
from kiro_local.watching import Watch

T = TypeVar("T")

_log = logging.getLogger(__name__)
_one_thread: RunVar[anyio.CapacityLimiter] = RunVar("kiro_local")


class Ledger:
    """The launches of one launcher: with its watchdog, as receipts on disk, and swept at their end.

    Where the system does not tell processes apart for good (macOS has no /proc) there is neither, and only the
    group of a process is ended.
    """

    def __init__(self) -> None:
        """Note nothing yet; the watchdog comes with the first launch."""
        self._here = mark_of(os.getpid())
        self._proven = bool(self._here.alive)
        folder = receipts_folder()
        self._receipts = Receipts(folder, self._here)
        self._watch = Watch(folder)
        self._leaders: dict[str, ProcessMark] = {}
        self._due: dict[str, ProcessMark] = {}
        self._sweeping = anyio.Lock()
        self._glances = Glances()
        self._since: dict[str, int] = {}

    @asynccontextmanager
    async def launch(self) -> AsyncIterator[str]:
        """Yield the name of a launch, for its environment; leaving ends all that it left behind.

        Shielded, and bounded by twice the time of a sweep; `survives` tells whether something is still there.
        """
        launch = uuid4().hex
        if not self._proven:
            yield launch
            return
        if not self._glances.now:
            with suppress(OSError):  # no descriptor is left to look with: then all are newcomers
                self._glances.meet()
        self._since[launch] = self._glances.now
        self._watch.expect(launch)
        try:
            yield launch
        finally:
            if launch in self._leaders:
                await self.end(launch)
            else:
                del self._since[launch]
                self._watch.forget(launch)

    async def end(self, launch: str) -> None:
        """End what is left of a launch, now or again; shielded."""
        with anyio.CancelScope(shield=True):
            await self._end(launch)

    def survives(self, launch: str) -> bool:
        """Whether something of a launch survived being killed."""
        return launch in self._leaders

    def began(self, launch: str, pid: int, program: str) -> None:
        """Note the process that a launch began with, which is not reaped yet, and its program's name."""
        if self._proven:
            leader = self._leaders[launch] = self._here._replace(pid=pid, started=start_token(pid))
            self._watch.tell(launch, leader)
            self._receipts.write(launch, program, leader)

    async def sweep(self) -> Sequence[Receipt]:
        """See `Launcher.sweep`."""
        return await _off_the_loop(self._sweep)

    async def close(self) -> None:
        """End the watchdog; bounded."""
        with anyio.CancelScope(shield=True):
            await _off_the_loop(self._watch.close)

    async def _end(self, launch: str) -> None:
        self._due[launch] = self._leaders.pop(launch)
        async with self._sweeping:
            if launch not in self._due:  # it was in the sweep that this one waited for
                return
            due, self._due = self._due, {}
            swept = await self._swept(due)
            for ended, leader in due.items():
                if ended in swept.left:
                    self._leaders[ended] = leader
                    continue
                self._watch.forget(ended)
                self._receipts.remove(ended)
            _tell(swept)

    async def _swept(self, due: Mapping[str, ProcessMark]) -> Swept:
        """End what is left of launches; a glance tells that it is nothing, as it mostly is."""
        since = min(self._since.pop(launch, 0) for launch in due)
        if self._glances.short:
            if self._glances.clear(due, since):
                return NOTHING
            return await _off_the_loop(lambda: end_launches(due))
        return await _off_the_loop(lambda: NOTHING if self._glances.clear(due, since) else end_launches(due))

    def _sweep(self) -> list[Receipt]:
        # Who runs in what a killed desk has left, such as a shell, does not end itself.
        left = [each for each in self._receipts.left() if each.launch not in own_launches()]
        swept = end_launches({each.launch: each.leader for each in left})
        for each in left:
            if each.launch not in swept.left:
                self._receipts.remove(each.launch)
        _tell(swept)
        ended = [(each, swept.ended.get(each.launch, 0)) for each in left]
        return [Receipt(f"pid {each.leader.pid}", each.program, number) for each, number in ended if number]


def _tell(swept: Swept) -> None:
    if swept.left:
        _log.warning("processes of %d launches were killed and have not ended", len(swept.left))


async def _off_the_loop(job: Callable[[], T]) -> T:
    """Run a job in the one thread of all launchers of a loop, or at once where the system gives us no thread."""
    try:
        limiter = _one_thread.get()
    except LookupError:
        limiter = anyio.CapacityLimiter(1)
        _one_thread.set(limiter)
    try:
        return await anyio.to_thread.run_sync(job, limiter=limiter)
    except RuntimeError:  # can't start new thread
        return job()
