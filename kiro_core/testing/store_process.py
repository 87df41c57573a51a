"""A process that uses a store as it is told, to contend for sessions with the test, and to be killed."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from itertools import count
from typing import Any

from kiro_core.errors import Held, KiroError
from kiro_core.ports import SessionDb, SessionStore
from kiro_core.testing.elsewhere import Lines, serve
from kiro_core.types import SessionId

PARTS = 3
"""How many records each batch of `live` has."""


def batch(number: int) -> list[bytes]:
    """What `live` appends in its step of that number."""
    padding = "x" * (number % 7 * 300)
    return [json.dumps({"n": number, "part": part, "pad": padding}).encode() for part in range(PARTS)]


class Told:
    """Does one thing after the other, and answers each; a failure is answered with its code."""

    def __init__(self, store: SessionStore, lines: Lines) -> None:
        """Use a store."""
        self._store = store
        self._lines = lines

    async def run(self) -> None:
        """Until nobody tells anything more."""
        while told := await self._lines.hear():
            try:
                answer = await getattr(self, told.pop("do"))(**told)
            except KiroError as error:
                answer = {"error": error.code}
            await self._lines.say(answer)

    async def hold(self, session: SessionId) -> Any:
        """Open a session and append what is told, until told to leave."""
        async with self._store.open(session) as db:
            await self._lines.say({"epoch": db.epoch, "head": db.head})
            while (told := await self._lines.hear()) and told["do"] != "leave":
                await self._lines.say({"head": await db.append([body.encode() for body in told["batch"]])})
        return {"left": True}

    async def put(self, session: SessionId, id: str) -> Any:  # noqa: A002 - the port's word
        """Put a message into an inbox."""
        return {"new": await self._store.put(session, id, b"{}")}

    async def read(self, session: SessionId) -> Any:
        """Read a whole session."""
        return {"bodies": [record.body.decode() async for record in self._store.read(session)]}

    async def contend(self, session: SessionId, rounds: int) -> Any:
        """Get hold of a session so many times, against others: the epochs."""
        epochs = list[int]()
        while len(epochs) < rounds:
            try:
                async with self._store.open(session) as db:
                    epochs.append(db.epoch)
                    await db.append([json.dumps({"owner": os.getpid(), "epoch": db.epoch}).encode()] * 2)
            except Held:
                await self._store.freed(session)
        return {"epochs": epochs}

    async def live(self, session: SessionId, first: int) -> Any:
        """Use a session until killed: say what is begun and what was acknowledged, with its number."""
        async with self._store.open(session) as db:
            for number in count(first):
                await self._step(session, db, number)

    async def _step(self, session: SessionId, db: SessionDb, number: int) -> None:
        await self._lines.say(["begun", number])
        await self._store.put(session, str(number), b"{}")
        await self._lines.say(["put", number])
        await db.append(batch(number), consume=[str(number)])
        await self._lines.say(["kept", number])
        if number % 3 == 0:
            await db.commit()
        if number % 4 == 0:
            await db.put_info(replace(db.info, title=str(number)))
            await self._lines.say(["titled", number])


async def _use(backend: SessionStore, lines: Lines) -> None:
    await Told(backend, lines).run()


if __name__ == "__main__":
    serve(_use)
