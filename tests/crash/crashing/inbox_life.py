"""The life of one session's inbox, told step by step; and what must be true of it wherever it was cut off."""

import json
import time

import anyio

from crashing.store_life import remove
from kiro_core.errors import SessionNotFound

MESSAGES = ("a", "b", "c", "d")
BODY = b'{"padding":"%b"}' % (b"x" * 5000)

__all__ = ["Promise", "live", "recover", "remove"]


def live(tell, opened, info):
    """From the first message to the deletion in the store that `opened()` opens; each wish is told, and its outcome."""
    anyio.run(_live, tell, opened, info)


async def _live(tell, opened, info):
    async with opened() as store:
        async with store.create(info) as db:
            tell("created")
            for name in "abc":
                await _put(tell, store, info, name)
            await _take(tell, db, "b")
            await db.commit()
            await _take(tell, db, "ca")
        await _put(tell, store, info, "d")
        async with store.open(info.id) as db:
            await _take(tell, db, "d")
            await db.commit()
        tell("deleting")
        await store.delete(info.id)
        tell("deleted")


async def _put(tell, store, info, name):
    tell("putting", name)
    tell("put", name, await store.put(info.id, name, BODY))


async def _take(tell, db, names):
    tell("taking", *names)
    await db.append([b'{"took":""}', json.dumps({"took": "".join(names)}).encode()], consume=list(names))
    tell("took", *names)


def recover(tell, opened, info):
    """What the next owner does: look, send everything again, settle what is pending, look again."""
    anyio.run(_recover, tell, opened, info)


async def _recover(tell, opened, info):
    async with opened() as store:
        begun = time.perf_counter()
        try:
            async with store.open(info.id) as db:
                tell("opened", time.perf_counter() - begun)
                await _go_on(tell, store, db)
        except SessionNotFound:
            tell("missing")
            try:
                await store.delete(info.id)
            except SessionNotFound:
                tell("gone")
            async with store.create(info) as db:
                tell("created")
                await _go_on(tell, store, db)


async def _go_on(tell, store, db):
    await _look(tell, store, db)
    for name in MESSAGES:
        await _put(tell, store, db.info, name)
    await _take(tell, db, [message.id for message in await db.pending()])
    await db.commit()
    await _look(tell, store, db)


async def _look(tell, store, db):
    records = [json.loads(record.body) async for record in store.read(db.info.id)]
    tell("found", [message.id for message in await db.pending()], [name for body in records for name in body["took"]])


class Promise:
    """What an inbox has been promised by those who were killed, from what they told.

    `there` are the messages that must be there and `maybe` those that may, in the order of their arrival; `taken`
    and `taking` are the batches that settled them, or may have.
    """

    def __init__(self, told):
        self.records = 0
        self._faults = []
        self._exists, self._goes = False, False
        self._forget()
        self._hear(told)

    def faults(self, recovery):
        """What the next owner found that must not be; from then on its own words count too."""
        self._faults = []
        self._hear(recovery)
        return self._faults

    def _forget(self):
        self._there, self._maybe, self._taken, self._taking = [], [], [], []

    def _hear(self, told):
        for word, *values in told:
            getattr(self, f"_hear_{word.replace(' ', '_')}", self._hear_nothing)(*values)

    def _hear_nothing(self, *_):
        pass

    def _hear_created(self):
        self._exists, self._goes = True, False
        self._forget()

    def _hear_deleting(self):
        self._goes = True

    def _hear_missing(self):
        self._check("the session is gone", self._exists and not self._goes)
        self._exists = False
        self._forget()

    def _hear_putting(self, name):
        self._maybe += [name] * (name not in self._there)

    def _hear_put(self, name, new):
        self.records += 1
        self._check(f"{name} was taken for new, and is there", new and name in self._there)
        self._check(f"{name} was taken for old, and was never sent", not new and name not in self._there)
        self._there += [name] * (name not in self._there)

    def _hear_taking(self, *names):
        self._taking.append(names)

    def _hear_took(self, *names):
        self.records += len(names)
        self._taken += names

    def _hear_found(self, pending, taken):
        there = [*pending, *taken]
        self._check(f"{pending} and {taken} have something twice", len(set(there)) < len(there))
        self._check(f"{self._there} were put, and {there} are there", not set(self._there) <= set(there))
        self._check(f"{there} are there, and {self._maybe} were sent", not set(there) <= {*self._there, *self._maybe})
        self._check(f"{self._taken} were settled, and {taken} are", not set(self._taken) <= set(taken))
        halves = [names for names in self._taking if 0 < len(set(names) & set(taken)) < len(names)]
        self._check(f"half of {halves} is settled", bool(halves))
        tried = {name for names in self._taking for name in names}
        self._check(f"{taken} are settled, and only {tried} were to be", not set(taken) <= tried)
        self._check(f"{pending} are not in order", pending != sorted(pending))
        self._there, self._maybe, self._taken = there, [], taken
        self._taking = [tuple(taken)]

    def _check(self, sentence, wrong):
        if wrong:
            self._faults.append(sentence)
