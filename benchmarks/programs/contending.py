"""Rivals for one session of the store `files`, each killed as soon as it holds it: `contending.py ROOT SESSION KILLS`.

Prints how often two held it at once, how often nobody got it within ten seconds, and how long it took from each kill
until the next one held it, in milliseconds.
"""

from __future__ import annotations

import json
import os
import select
import signal
import sys
import time
from statistics import median

import anyio
import anyio.lowlevel

from kiro_core import Registry
from kiro_core.catalog import Choice
from kiro_core.errors import Held
from kiro_core.types import SessionId

_RIVALS = 2
_STUCK_S = 10.0
_WORK_S = 0.002


_stores = Registry(only=["files"]).stores


async def hold(root: str, session: str, told: int) -> None:
    """Get hold of the session, say so, and write until killed."""
    async with _stores.open(Choice("files", {"root": root})) as store:
        while True:
            try:
                async with store.open(SessionId(session)) as db:
                    os.write(told, b"%d %d\n" % (os.getpid(), time.monotonic_ns()))
                    while True:
                        await db.append([b'{"pad":"%b"}' % (b"x" * 2000)] * 3)
                        await db.commit()
            except Held:
                await anyio.lowlevel.checkpoint()


async def ready(root: str, session: str) -> None:
    """Load what a rival needs before it is forked."""
    async with _stores.open(Choice("files", {"root": root})) as store, store.open(SessionId(session)):
        pass


class Fight:
    """Rivals and what becomes of them; forked, since a kill is to cost no start of Python."""

    def __init__(self, root: str, session: str) -> None:
        """Let them begin."""
        self._given = root, session
        self._heard, self._told = os.pipe()
        self._rivals = {self._rival() for _ in range(_RIVALS)}
        self.overlaps = self.stuck = 0
        self.took_ms: list[float] = []

    def round(self, killed_ns: int) -> int:
        """Wait for the next holder, let it work for a moment, and kill it; when that was."""
        holder = self._holder(killed_ns)
        if holder:
            time.sleep(_WORK_S)  # it is to be killed in the midst of its work
            self.overlaps += self._anybody(0)
        killed = time.monotonic_ns()
        for rival in {holder} & self._rivals:
            self._kill(rival)
            self._rivals.add(self._rival())
        return killed

    def end(self) -> None:
        """Kill all."""
        for rival in tuple(self._rivals):
            self._kill(rival)

    def _holder(self, killed_ns: int) -> int:
        if not self._anybody(_STUCK_S):
            self.stuck += 1
            return 0
        first, *more = os.read(self._heard, 4096).splitlines()
        self.overlaps += len(more)
        pid, since = map(int, first.split())
        if killed_ns:
            self.took_ms.append((since - killed_ns) / 1e6)
        return pid

    def _anybody(self, seconds: float) -> bool:
        return bool(select.select([self._heard], [], [], seconds)[0])

    def _rival(self) -> int:
        if pid := os.fork():
            return pid
        try:
            anyio.run(hold, *self._given, self._told)
        finally:
            os._exit(1)

    def _kill(self, rival: int) -> None:
        self._rivals.discard(rival)
        os.kill(rival, signal.SIGKILL)
        os.waitpid(rival, 0)


def main(root: str, session: str, kills: str) -> None:
    """Have them fight."""
    anyio.run(ready, root, session)
    fight, killed = Fight(root, session), 0
    try:
        for _ in range(int(kills)):
            killed = fight.round(killed)
    finally:
        fight.end()
    print(json.dumps({"overlaps": fight.overlaps, "stuck": fight.stuck, "ms": median(fight.took_ms)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
