"""One SQLite file used from worker threads: a job is one transaction, and the event loop never waits for the disk.

The file is in WAL mode: readers see the file as it was when they began, and neither wait for a writer nor stop one.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

import anyio
from anyio import to_thread
from kiro_core.errors import KiroError

from .metadata import is_readable
from .refusing import removed, unavailable, unknown_tables
from .schema import VERSION, make_file

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

_READERS = 4


class Database:
    """Connections to one file, as many as are needed at a time, each used by one job after the other."""

    def __init__(self, path: Path, busy_s: float) -> None:
        """Connect with the first job.

        Raises:
            OSError: there is no such file.

        """
        self.path = path
        self._file = os.stat(path)
        self._busy_s = busy_s
        self._idle: list[sqlite3.Connection] = []
        self._readers = anyio.CapacityLimiter(_READERS)
        # SQLite has one writer at a time and lets the others try again and again. Ours wait in order, here.
        self._writer = anyio.CapacityLimiter(1)

    async def read(self, job: Job[T]) -> T:
        """What the job finds, all of it at one moment.

        Raises:
            Unavailable: the file cannot be read.

        """
        return await to_thread.run_sync(self._run, job, "BEGIN", "NORMAL", limiter=self._readers)

    async def write(self, job: Job[T], *, durable: bool = True) -> T:
        """Have the job change something, whole or, where it raises, not at all; it is done even if that is cancelled.

        What was written outlives this process. With `durable` it outlives the machine, together with all that was
        written before.

        Raises:
            Unavailable: the file was not written, or nobody knows whether it was.

        """
        synchronous = "FULL" if durable else "NORMAL"
        return await to_thread.run_sync(self._run, job, "BEGIN IMMEDIATE", synchronous, limiter=self._writer)

    def close(self) -> None:
        """Close what no job uses; there is none any more."""
        while self._idle:
            self._idle.pop().close()

    def _run(self, job: Job[T], begin: str, synchronous: str) -> T:
        connection = None
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            connection.execute(f"PRAGMA synchronous = {synchronous}")
            result = _transaction(connection, begin, job)
            self._require_there()
        except KiroError:
            raise
        except (sqlite3.Error, OSError) as error:
            if connection is not None:
                connection.close()  # nobody knows what it is in the midst of
                connection = None
            raise unavailable(self.path, error) from error
        finally:
            if connection is not None:
                self._idle.append(connection)
        return result

    def _require_there(self) -> None:
        """A file that was removed can still be written to, and nobody finds again what is in it."""
        try:
            there = os.path.samestat(os.stat(self.path), self._file)
        except FileNotFoundError:
            there = False
        if not there:
            raise removed(self.path)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.as_uri()}?mode=rw",  # what somebody has removed does not come back empty
            uri=True,
            timeout=self._busy_s,
            isolation_level=None,  # transactions begin where we say
            check_same_thread=False,  # one thread at a time all the same
        )
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA fullfsync = ON")  # without it, macOS leaves what was flushed in the disk's cache
        connection.execute("PRAGMA secure_delete = ON")  # what was deleted cannot be read in the file any more
        connection.text_factory = lambda text: text.decode(errors="replace")  # damage in one row is that row's alone
        connection.create_function("realpath", 1, _real_path, deterministic=True)
        connection.create_function("readable", 3, is_readable, deterministic=True)
        return connection


@asynccontextmanager
async def open_database(path: Path, busy_s: float) -> AsyncIterator[Database]:
    """Use a file, which is made first where it is missing.

    Raises on entering:
        Unavailable: it cannot be made or read, or is of a newer version.

    """
    try:
        await to_thread.run_sync(make_file, path)
        database = Database(path, busy_s)
    except (sqlite3.Error, OSError) as error:
        raise unavailable(path, error) from error
    try:
        found = await database.read(lambda connection: int(connection.execute("PRAGMA user_version").fetchone()[0]))
        if found != VERSION:
            raise unknown_tables(path, found)
        yield database
    finally:
        database.close()


def _real_path(path: str) -> str:
    try:
        return os.path.realpath(path)
    except ValueError:  # of what is no path
        return path


def _transaction(connection: sqlite3.Connection, begin: str, job: Job[T]) -> T:
    connection.execute(begin)
    try:
        result = job(connection)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
    return result
