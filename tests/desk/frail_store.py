"""The files store as a plugin whose writes fail, hang and lie as a test tells them."""

import json
from contextlib import asynccontextmanager
from functools import partial
from math import inf

import anyio

from kiro_core import Provider, hookimpl
from kiro_core.errors import Fenced, Unavailable
from kiro_files import FilesOptions, open_store

FULL = Unavailable("The disk is full.")
TAKEN = Fenced("Another owner has taken the session over.")
HANG_S = 10


class Trouble:
    """What happens to the next `times` calls of a verb: an error, or a wait until `over`, or until so many wait.

    `kind` narrows it to batches that hold such a record.
    """

    def __init__(self, verb, kind, times, error=None):
        self.begun, self.over = anyio.Event(), anyio.Event()
        self.outlived = False
        self._verb, self._kind, self._times, self._error = verb, kind, times, error

    def concerns(self, verb, kinds):
        return self._verb == verb and self._times > 0 and self._kind in ("", *kinds)

    def mend(self):
        """From now on it goes well."""
        self._times = 0
        self.over.set()

    async def happen(self):
        self.begun.set()
        self._times -= 1
        if self._error:
            raise self._error
        if not self._times:
            self.over.set()
        try:
            await self._wait()
        finally:
            self._times += 1

    async def _wait(self):
        # Bounded, since a caller may be shielded: a test fails, and never hangs itself.
        with anyio.move_on_after(HANG_S):
            await self.over.wait()
            return
        self.outlived = True
        self.over.set()


class FrailStore:
    """A plugin: the files store, whose writes fail and hang as told.

    `tried` has every batch that was offered, `done` what was done, in order: the kind of each record that
    was written, "commit", "put_info" and whatever a test adds with `did`. `safe` has for each of them how
    many of those before it were durable at that time. `stall` is awaited by every commit.
    """

    def __init__(self):
        self.tried, self.done, self.safe = [], [], []
        self.durable = 0
        self.db = None
        self.lie = ""
        self.stall = None
        self._troubles = []

    def did(self, *what):
        self.done.extend(what)
        self.safe.extend([self.durable] * len(what))

    def is_safe(self, first, second):
        """Whether the first of a kind was durable when the next of another came."""
        index = self.done.index(first)
        return self.safe[self.done.index(second, index)] > index

    def fails(self, verb, error=FULL, *, kind="", times=1):
        self._troubles.append(Trouble(verb, kind, times, error))
        return self._troubles[-1]

    def lies(self, kind):
        """Write the next batch with such a record and say that it was not; then insist on the same batch."""
        self.lie = kind

    def hangs(self, verb, *, kind="", together=inf):
        self._troubles.append(Trouble(verb, kind, together))
        return self._troubles[-1]

    async def strike(self, verb, kinds=()):
        for trouble in self._troubles:
            if trouble.concerns(verb, kinds):
                await trouble.happen()

    @hookimpl
    def kiro_stores(self):
        yield Provider("frail", self._open)

    @asynccontextmanager
    async def _open(self, _):
        async with open_store(FilesOptions()) as files:
            self.get, self.list, self.read = files.get, files.list, files.read
            self.put, self.wake, self.holder, self.freed = files.put, files.wake, files.holder, files.freed
            self.delete, self.verify, self.evict = files.delete, files.verify, files.evict
            self.create, self.open = partial(self._held, files.create), partial(self._held, files.open)
            yield self

    @asynccontextmanager
    async def _held(self, hold, which, contact):
        async with hold(which, contact) as db:
            self.db = FrailDb(db, self)
            yield self.db


class FrailDb:
    """A session of a `FrailStore`, held."""

    def __init__(self, db, store):
        self._db, self._store = db, store
        self._unsure = None

    def __getattr__(self, name):
        return getattr(self._db, name)

    async def append(self, batch, *, consume=()):
        kinds = [json.loads(body)["kind"] for body in batch]
        self._store.tried.append(list(batch))
        await self._store.strike("append", kinds)
        if self._unsure is not None:
            assert list(batch) == self._unsure, "the same batch before anything newer"
            self._unsure = None
            return self._db.head
        head = await self._db.append(batch, consume=consume)
        self._store.did(*kinds)
        if self._store.lie in kinds:
            self._store.lie, self._unsure = "", list(batch)
            raise FULL
        return head

    async def commit(self):
        written = len(self._store.done)
        if self._store.stall:
            await self._store.stall()
        await self._store.strike("commit")
        await self._db.commit()
        self._store.durable = max(self._store.durable, written)
        self._store.did("commit")

    async def put_info(self, info):
        await self._store.strike("put_info")
        await self._db.put_info(info)
        self._store.did("put_info")
