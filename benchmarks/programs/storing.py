"""What durable records cost in the store `files`, beside the same bytes written by hand, in one process of their own.

A line of stdin, `{"turn": N, "events": N}`, is answered by one with the seconds an event took in each case.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import anyio

from kiro_core import Registry
from kiro_core.catalog import Choice
from kiro_core.ports import SessionDb
from kiro_core.types import SessionId, SessionInfo

_AT = "2026-01-31T08:00:00.000Z"
_BODY = b'{"at":"%b","kind":"update","data":{"text":"%b"}}' % (_AT.encode(), b"x" * 222)
_LINE = b'{"format":1,"seq":1234567,"epoch":1,"until":1234567,"body":%b}\n' % _BODY
_CHUNK, _GROUP, _WRITERS = 250, 1000, 20
_flush = getattr(os, "fdatasync", os.fsync)

Case = Callable[[int], Awaitable[None]]
"""Makes so many events durable."""


class Cases:
    """Each way to make events durable, by its name."""

    def __init__(self, db: SessionDb, log: int) -> None:
        """In a session that is held, and by hand in the file of a descriptor."""
        self._db = db
        self._log = log
        self.named: dict[str, Case] = {
            "raw one": self._raw_one,
            "raw grouped": self._raw_grouped,
            "one writer": self._one_writer,
            "writers": self._writers,
            "streamed": self._streamed,
            "metadata": self._metadata,
        }

    async def _raw_one(self, events: int) -> None:
        for _ in range(events):
            os.write(self._log, _LINE)
            _flush(self._log)

    async def _raw_grouped(self, events: int) -> None:
        block = _LINE * _GROUP
        for _ in range(events // _GROUP):
            os.write(self._log, block)
            _flush(self._log)

    async def _one_writer(self, events: int) -> None:
        for _ in range(events):
            await self._db.append([_BODY])
            await self._db.commit()

    async def _writers(self, events: int) -> None:
        async with anyio.create_task_group() as tasks:
            for _ in range(_WRITERS):
                tasks.start_soon(self._one_writer, events // _WRITERS)

    async def _streamed(self, events: int) -> None:
        """Chunks as fast as they go, with a flush under way all the time, as a session has it."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._committing)
            for _ in range(events // _CHUNK):
                await self._db.append([_BODY] * _CHUNK)
                await anyio.lowlevel.checkpoint()
            tasks.cancel_scope.cancel()
        await self._db.commit()

    async def _committing(self) -> None:
        while True:
            await self._db.commit()
            await anyio.lowlevel.checkpoint()

    async def _metadata(self, events: int) -> None:
        for number in range(events):
            await self._db.put_info(replace(self._db.info, title=f"Fix number {number}"))


_SHARE = {"raw grouped": 200, "streamed": 200, "writers": 10, "metadata": 0.2}
"""How many more events a case gets than those that wait for the disk once for each."""


async def serve(folder: Path) -> None:
    """Answer until stdin ends."""
    registry = Registry(only=["files"])
    info = SessionInfo(SessionId(str(uuid4())), str(folder), _AT, _AT)
    log = os.open(folder / "raw", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    choice = Choice("files", {"root": str(folder / "sessions")})
    async with registry.stores.open(choice) as store, store.create(info) as db:
        cases = Cases(db, log).named
        for line in sys.stdin:
            asked = json.loads(line)
            names = list(cases)
            first = asked["turn"] % len(names)
            took: dict[str, float] = {}
            for name in names[first:] + names[:first]:
                events = int(asked["events"] * _SHARE.get(name, 1))
                begins = time.perf_counter()
                await cases[name](events)
                took[name] = (time.perf_counter() - begins) / events
            sys.stdout.write(json.dumps(took) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    anyio.run(serve, Path(sys.argv[1]))
