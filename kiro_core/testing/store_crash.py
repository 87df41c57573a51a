"""What a store promises of the death of its owner, at whatever moment that comes."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence

import anyio

from kiro_core.ports import SessionStore
from kiro_core.testing.elsewhere import BOUND_S, StartedElsewhere
from kiro_core.testing.promising import promise
from kiro_core.testing.store_process import batch
from kiro_core.testing.store_samples import names, records, stored
from kiro_core.types import SessionId

ROUNDS = int(os.environ.get("KIRO_CRASH_ROUNDS", "3"))
"""How many owners are killed; more of them find more."""

_MOST_WORDS = 60


class CrashPromises:
    """Kill -9 of who writes."""

    @promise("store.crash.durable", core=True)
    async def test_whatever_its_owner_is_killed_at_a_session_has_all_that_was_acknowledged(
        self, store: SessionStore, elsewhere: StartedElsewhere
    ) -> None:
        """An owner killed at any moment loses nothing that it was told is there, and no batch is torn.

        What a batch has consumed is settled exactly where the batch is there; metadata are whole, old or new.
        """
        info = await stored(store, title="-1")
        first, title = 0, -1
        for _ in range(ROUNDS):
            said = await _life(elsewhere, info.id, first, words=random.randint(1, _MOST_WORDS))  # noqa: S311 - a moment
            begun, put, kept = (_last(said, word, first - 1) for word in ("begun", "put", "kept"))
            title = _last(said, "titled", title)
            first = await _found(store, info.id, begun, put, kept)
            assert title <= int((await store.get(info.id)).title) <= begun


async def _life(elsewhere: StartedElsewhere, session: SessionId, first: int, words: int) -> list[tuple[str, int]]:
    """Have an owner live until it has said so many words: all that it said before it was killed."""
    said = list[tuple[str, int]]()
    with anyio.fail_after(BOUND_S):
        async with elsewhere() as owner:
            await owner.begin("live", session=session, first=first)
            while len(said) < words:
                word = await owner.hear()
                assert isinstance(word, list), f"the owner failed: {word}"
                said.append((word[0], word[1]))
            await owner.killed()
            while word := await owner.hear():
                said.append(word)
    return said


def _last(said: Sequence[tuple[str, int]], word: str, before: int) -> int:
    return max([before, *(number for said_word, number in said if said_word == word)])


async def _found(store: SessionStore, session: SessionId, begun: int, put: int, kept: int) -> int:
    """Check what an owner left, by the last number that was begun, put and kept: the next one."""
    with anyio.fail_after(BOUND_S):
        await store.freed(session)
        async with store.open(session) as db:
            bodies = [record.body for record in await records(store, session)]
            last = kept if len(bodies) == len(batch(0)) * (kept + 1) else begun
            assert bodies == [body for number in range(last + 1) for body in batch(number)]
            pending = [int(name) for name in await names(db)]
            assert pending in ([*range(last + 1, put + 1)], [*range(last + 1, begun + 1)])
    assert (await store.verify(session)).sound
    return last + 1
