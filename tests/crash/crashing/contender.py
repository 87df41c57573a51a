"""One of those who fight for a session: whenever it has it, it writes what proves whose each record is."""

import os
import time
from dataclasses import replace

import anyio

from kiro_core.errors import Held

TORN = 0.3
PAUSE_S = 0.0005
RIVALRY_S = 0.003
WAITING = 0.02


def contend(tell, opened, session, name, rng):
    """Fight until killed; `name` is this contender's own for all time, `opened()` opens the store."""
    _write_in_pieces(rng)
    anyio.run(_contend, tell, opened, session, name, rng)


async def _contend(tell, opened, session, name, rng):
    async with opened() as store:
        number = 0
        while True:
            try:
                async with store.open(session) as db:
                    number += 1
                    await _own(tell, db, f"{name}.{number}", rng)
            except Held:
                if rng.random() < WAITING:
                    await store.freed(session)
            # Its rivals begin at different moments, or the fastest would always be the same one.
            await anyio.sleep(rng.random() * RIVALRY_S)


async def _own(tell, db, token, rng):
    tell("begun", token, db.epoch, db.head)
    done = 0
    for _ in range(rng.randint(1, 40)):
        count = rng.randint(1, 4)
        head = await db.append([_body(token, db.epoch, done + number, rng) for number in range(1, count + 1)])
        if rng.random() < 0.8:
            await db.commit()
        done += count
        tell("written", token, done, head)
        if rng.random() < 0.1:
            await db.put_info(replace(db.info, title=token))
    tell("ended", token)


def _body(token, epoch, number, rng):
    padding = b"x" * rng.choice((0, 20, 300, 5000))
    return b'{"token":"%b","epoch":%d,"number":%d,"padding":"%b"}' % (token.encode(), epoch, number, padding)


def _write_in_pieces(rng):
    """Let the system take a part of what is written, as it may; a kill before the rest tears the line."""
    write = os.write

    def in_pieces(fd, data):
        if len(data) < 2 or rng.random() > TORN:
            return write(fd, data)
        done = write(fd, data[: rng.randrange(1, len(data))])
        time.sleep(rng.random() * PAUSE_S)
        return done

    os.write = in_pieces
