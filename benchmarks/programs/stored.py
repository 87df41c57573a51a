"""What reading costs in the store `files`, in a process of its own: `stored.py WHAT ROOT ...` prints figures as JSON.

The baselines are here too: both sides of a ratio are told by the same clock, in the same kind of process. What is
imported is not in it.
"""

from __future__ import annotations

import fcntl
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from statistics import median

import anyio
from anyio import to_thread

from kiro_core import Registry
from kiro_core.catalog import Choice
from kiro_core.ports import SessionStore
from kiro_core.types import SessionId, SessionInfo, SessionQuery

_AT = "2026-01-31T08:00:00.123Z"

Figures = Mapping[str, float]


async def list_(store: SessionStore, _: str, limit: str) -> Figures:
    """The newest sessions."""
    await to_thread.run_sync(len, "")  # a thread that is there already, as in a desk
    begins = time.perf_counter()
    page = await store.list(SessionQuery(), limit=int(limit))
    return {"s": time.perf_counter() - begins, "sessions": len(page.items)}


async def scan(_: SessionStore, root: str) -> Figures:
    """The baseline of a listing: each name of the folder, and what the system knows of each file of metadata."""
    begins = time.perf_counter()
    with os.scandir(root) as entries:
        for entry in entries:
            if entry.name.endswith(".json"):
                entry.stat()
    return {"s": time.perf_counter() - begins}


async def read(store: SessionStore, _: str, session: str) -> Figures:
    """The whole log, and by how much memory grew meanwhile."""
    async for _first in store.read(SessionId(session)):
        break  # what is loaded with the first record is not the log's
    memory, begins, records = _peak_mb(), time.perf_counter(), 0
    async for _record in store.read(SessionId(session)):
        records += 1
    return {"s": time.perf_counter() - begins, "mb": _peak_mb() - memory, "records": records}


async def count(_: SessionStore, root: str, session: str) -> Figures:
    """The baseline of a replay: read the log, and count its lines."""
    begins, lines = time.perf_counter(), 0
    log = os.open(f"{root}/{session}.jsonl", os.O_RDONLY)
    while block := os.read(log, 1 << 20):
        lines += block.count(b"\n")
    return {"s": time.perf_counter() - begins, "records": lines}


async def tail(store: SessionStore, _: str, *sessions: str) -> Figures:
    """The last 1000 records of each of two sessions, in turn."""
    took: dict[str, list[float]] = {session: [] for session in sessions}
    for session in sessions:
        async with store.open(SessionId(session)) as db:
            for _again in range(9):
                begins = time.perf_counter()
                await db.tail(1000)
                took[session].append(time.perf_counter() - begins)
    return {session: median(each) for session, each in took.items()}


async def torn(store: SessionStore, root: str, *sessions: str) -> Figures:
    """Opening each of these sessions, in turn, with a last record that lacks its end."""
    took: dict[str, list[float]] = {session: [] for session in sessions}
    for session in sessions * 9:
        log = f"{root}/{session}.jsonl"
        os.truncate(log, _size(log) - 10)
        begins = time.perf_counter()
        async with store.open(SessionId(session)) as db:
            took[session].append(time.perf_counter() - begins)
            await db.append([b"{}"])
    return {session: median(each) for session, each in took.items()}


async def recovered(store: SessionStore, root: str, session: str) -> Figures:
    """Of all places at which the last record can be cut off, after how many the session goes on with those before."""
    name, log, bodies = SessionId(session), f"{root}/{session}.jsonl", [b"{}", b"{}", b'{"last":true}']
    async with store.create(SessionInfo(name, "/", _AT, _AT)) as db:
        for body in bodies:
            await db.append([body])
    size, sound = _size(log), 0
    begin = size - len(_last_line(log))
    for cut in range(begin, size):
        os.truncate(log, cut)
        async with store.open(name) as db:
            sound += db.head == 2 and await db.append(bodies[2:]) == 3
    return {"percent": 100 * sound / (size - begin)}


def _size(log: str) -> int:
    return Path(log).stat().st_size


def _last_line(log: str) -> bytes:
    return Path(log).read_bytes().splitlines(keepends=True)[-1]


async def lock(_: SessionStore, root: str, session: str) -> Figures:
    """Both locks of a session, taken and given back, to one file opened, locked and closed by hand."""
    from kiro_files.files import Files
    from kiro_files.lease import Lease

    files = Files(Path(root), SessionId(session))
    Lease.take(files).release()  # a folder proves its locks once a process

    def by_hand() -> None:
        fd = os.open(files.lock, os.O_RDWR | os.O_CLOEXEC)
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(fd)

    return {"ratio": median(_timed(lambda: Lease.take(files).release()) / _timed(by_hand) for _ in range(21))}


def _timed(case: Callable[[], object]) -> float:
    begins = time.perf_counter()
    for _ in range(30):
        case()
    return time.perf_counter() - begins


def _peak_mb() -> float:
    return int(Path("/proc/self/status").read_text().partition("VmHWM:")[2].split()[0]) / 1024


_DOES: Mapping[str, Callable[..., Awaitable[Figures]]] = {
    each.__name__.rstrip("_"): each for each in (list_, scan, read, count, tail, torn, recovered, lock)
}


async def main(what: str, root: str, *given: str) -> None:
    """Do one thing with the store of a folder."""
    async with Registry(only=["files"]).stores.open(Choice("files", {"root": root})) as store:
        print(json.dumps(await _DOES[what](store, root, *given)))


if __name__ == "__main__":
    anyio.run(partial(main, *sys.argv[1:]))
