"""The life of one session in a store, told step by step; and what must be true of it wherever it was cut off."""

import json
import time
from dataclasses import replace

import anyio

from kiro_core.errors import SessionNotFound

BATCHES = (
    [b'{"n":1}', b'{"n":2}'],
    [b'{"n":3,"padding":"%b"}' % (b"x" * 9000)],
    [b'{"n":4}', b'{"n":5,"padding":"%b"}' % (b"x" * 500), b'{"n":6}'],
    [b'{"n":7}'],
)
MORE = 9


def live(tell, opened, info):
    """From creation to deletion in the store that `opened()` opens; it tells each wish, and what is acknowledged."""
    anyio.run(_live, tell, opened, info)


async def _live(tell, opened, info):
    async with opened() as store:
        async with store.create(info) as db:
            tell("created")
            await _append(tell, db, 0)
            await _append(tell, db, 1)
            await db.commit()
            tell("retitling", "second")
            await db.put_info(replace(info, title="second"))
            tell("retitled", "second")
            await _append(tell, db, 2)
        async with store.open(info.id) as db:
            await _append(tell, db, 3)
            await db.commit()
        tell("deleting")
        await store.delete(info.id)
        tell("deleted")


async def _append(tell, db, number):
    tell("appending", number)
    await db.append(BATCHES[number])
    tell("appended", number)


def recover(tell, opened, info):
    """What the next owner does: open, read, go on; a session that is not there is made anew."""
    anyio.run(_recover, tell, opened, info)


async def _recover(tell, opened, info):
    async with opened() as store:
        begun = time.perf_counter()
        try:
            async with store.open(info.id) as db:
                tell("opened", time.perf_counter() - begun, db.info.title)
                tell("found", [json.loads(record.body)["n"] async for record in store.read(info.id)])
                await _go_on(tell, db)
        except SessionNotFound:
            tell("missing")
            try:
                await store.delete(info.id)
            except SessionNotFound:
                tell("gone")
            async with store.create(info) as db:
                tell("made anew")
                await _go_on(tell, db)


async def _go_on(tell, db):
    tell("going on")
    await db.append([b'{"n":%d}' % MORE])
    tell("went on")


def remove(tell, opened, info):
    """Delete it."""
    anyio.run(_remove, opened, info)


async def _remove(opened, info):
    async with opened() as store:
        await store.delete(info.id)


class Promise:
    """What a session has been promised by those who were killed, from what they told."""

    def __init__(self, told):
        words = [word for word, *_ in told]
        done, tried = words.count("appended"), words.count("appending")
        self.must_exist = "created" in words and "deleting" not in words
        self.may_exist = "deleted" not in words
        self.titles = {""} if "retitled" not in words else set()
        self.titles |= {"second"} if "retitling" in words else set()
        # A batch that nobody acknowledged may be there, but whole.
        self.contents = [_numbers(BATCHES[:count]) for count in range(done, tried + 1)]
        self.more = [0, 0]

    @property
    def records(self):
        """How many records were acknowledged."""
        return len(self.contents[0]) + self.more[0]

    def faults(self, recovery):
        """What the next owner found that must not be; from then on its own words count too."""
        words = {word: values for word, *values in recovery}
        faults = []
        if "missing" in words:
            faults += ["the session is gone"] if self.must_exist else []
            self.must_exist, self.may_exist, self.titles, self.contents = False, True, {""}, [[]]
        elif "found" in words:
            faults += self._found(*words["found"], words["opened"][1])
        self.must_exist |= "made anew" in words
        self.more = [self.more[0] + ("went on" in words), self.more[1] + ("going on" in words)]
        return faults

    def _found(self, found, title):
        faults = [] if self.may_exist else ["a deleted session is back"]
        content = [number for number in found if number != MORE]
        more = found[len(content) :]
        least, most = self.more
        if content not in self.contents or not least <= more.count(MORE) == len(more) <= most:
            faults.append(f"there is {found} where {self.contents[0]} was acknowledged, and {least} to {most} more")
        if title not in self.titles:
            faults.append(f"its title is {title!r} and not in {self.titles}")
        self.contents = [content]
        return faults


def _numbers(batches):
    return [json.loads(body)["n"] for batch in batches for body in batch]
