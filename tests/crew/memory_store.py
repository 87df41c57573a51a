"""A store in memory that fails and dies when it is told to, and keeps what a disk would."""

from contextlib import asynccontextmanager
from dataclasses import replace

import anyio

from kiro_core.errors import Fenced, Held, InboxFull, SessionNotFound, Unavailable
from kiro_core.types import Page, Record


class Kept:
    """One session: what is durable of it, and who holds it."""

    def __init__(self, info):
        self.info, self.bodies, self.durable, self.holder, self.letters = info, [], 0, None, {}


class MemoryStore:
    """Everything that outlives a process."""

    def __init__(self):
        self.sessions = {}

    def die(self):
        """Lose what was not durable, and every lease."""
        for kept in self.sessions.values():
            del kept.bodies[kept.durable :]
            kept.holder = None


class StoreOfLife:
    """The part of `SessionStore` that runs use. `step(what, kind)` is called around each change, and may raise."""

    def __init__(self, memory, step):
        self.memory, self.step = memory, step

    @asynccontextmanager
    async def create(self, info, contact=None):
        db = self.begun(info)
        try:
            yield db
        finally:
            db.end()

    @asynccontextmanager
    async def open(self, session, contact=None):
        kept = self._kept(session)
        if kept.holder is not None:
            raise Held("Somebody has it.")
        db = kept.holder = DbOfLife(self, kept)
        try:
            yield db
        finally:
            db.end()

    def begun(self, info):
        """A session of an agent, held as long as this process lives."""
        self.step("create")
        kept = self.memory.sessions[info.id] = Kept(info)
        kept.holder = DbOfLife(self, kept)
        return kept.holder

    async def get(self, session):
        return self._kept(session).info

    async def holder(self, session):
        return {"pid": 1} if self._kept(session).holder is not None else {}

    async def list(self, query, cursor=None, limit=50):
        return Page([kept.info for kept in self.memory.sessions.values()], None)

    async def read(self, session, after=0):
        for seq, body in enumerate(list(self._kept(session).bodies), 1):
            if seq > after:
                yield Record(seq, 1, body)

    async def put(self, session, message_id, body):
        self.step("put")
        letters = self._kept(session).letters
        if len(letters) >= 100:
            raise InboxFull("It is full.")
        letters.setdefault(message_id, body)
        self.step("has put")
        return True

    def _kept(self, session):
        if session not in self.memory.sessions:
            raise SessionNotFound("There is no such session.")
        return self.memory.sessions[session]


class DbOfLife:
    """The part of `SessionDb` that runs use."""

    def __init__(self, store, kept):
        self.lost, self.epoch = anyio.Event(), 1
        self._store, self._kept = store, kept
        self._unsure = None

    @property
    def info(self):
        return self._kept.info

    def end(self):
        """Hold it no more."""
        if self._kept.holder is self:
            self._kept.holder = None

    @property
    def head(self):
        return len(self._kept.bodies)

    async def append(self, batch, *, consume=()):
        self._step("append")
        if list(batch) != self._unsure:  # what nobody knew of is repeated as it was, and stands there once
            self._kept.bodies += batch
        self._unsure = list(batch)
        self._step("has appended")
        self._unsure = None
        return self.head

    async def commit(self):
        self._step("commit")
        self._kept.durable = self.head
        self._step("has committed")

    async def put_info(self, info):
        self._step("put info")
        self._kept.info = replace(info)

    def _step(self, what):
        if self._kept.holder is not self:
            raise Fenced("It was taken away.")
        try:
            self._store.step(what, self.info.kind)
        except Unavailable:
            if what == "has appended":  # nobody knows then; what was written stays
                self._kept.durable = self.head
            raise
