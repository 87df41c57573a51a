"""What a store promises to a person who has to see to it: who holds a session, that it is free, that it is in order."""

from __future__ import annotations

import anyio
import pytest

from kiro_core.errors import Held, SessionNotFound
from kiro_core.ports import SessionStore
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import records, session, stored
from kiro_core.types import Contact, SessionId


class UpkeepPromises:
    """Contact, eviction, verification."""

    @promise("store.upkeep.contact")
    async def test_who_is_refused_is_told_how_to_reach_the_owner(self, store: SessionStore) -> None:
        """`Held` and `holder` tell face and socket of the owner, as it gave them."""
        info, contact = session(), Contact("acp", "/run/desk.sock")
        async with store.create(info, contact):
            await self._is_reached(store, info.id, contact)
        async with store.open(info.id, contact):
            await self._is_reached(store, info.id, contact)

    @promise("store.upkeep.evict-free")
    async def test_nobody_is_evicted_from_a_free_session(self, store: SessionStore) -> None:
        """`evict` of a session that is free ends nobody and returns nothing."""
        info = await stored(store)
        with anyio.fail_after(30):
            assert not await store.evict(info.id, 1)
            async with store.open(info.id):
                pass
            with pytest.raises(SessionNotFound):
                await store.evict(session().id, 1)

    @promise("store.upkeep.evict-self")
    async def test_who_asks_is_never_evicted_by_itself(self, store: SessionStore) -> None:
        """`evict` never ends the process that asks: it raises `Held`."""
        info = session()
        with anyio.fail_after(30):
            async with store.create(info) as db:
                with pytest.raises(Held):
                    await store.evict(info.id, 1)
                await db.append([b"{}"])

    @promise("store.upkeep.verify")
    async def test_a_session_in_order_is_found_in_order_and_nothing_is_mended(self, store: SessionStore) -> None:
        """`verify` of a session in order counts its records, finds nothing, and changes nothing."""
        info = session(title="kept")
        async with store.create(info) as db:
            for count in (1, 3):
                await db.append([b"{}"] * count)
            assert (await store.verify(info.id)).records == 4
        before = await records(store, info.id)
        for repair in (False, True):
            report = await store.verify(info.id, repair=repair)
            assert (report.session, report.records, report.head) == (info.id, 4, before[-1].seq)
            assert not report.findings
            assert report.sound
            assert not report.repaired
        assert await records(store, info.id) == before
        assert await store.get(info.id) == info

    @promise("store.upkeep.verify-unknown")
    async def test_an_unknown_session_cannot_be_verified(self, store: SessionStore) -> None:
        """`verify` of an id that nobody has raises `SessionNotFound`."""
        for repair in (False, True):
            with pytest.raises(SessionNotFound):
                await store.verify(session().id, repair=repair)

    @promise("store.upkeep.holder")
    async def test_nobody_holds_a_session_that_is_free(self, store: SessionStore) -> None:
        """`holder` is empty where nobody holds the session, and raises `SessionNotFound` for an id that nobody has."""
        info = session()
        async with store.create(info):
            pass
        assert not await store.holder(info.id)
        with pytest.raises(SessionNotFound):
            await store.holder(session().id)

    @staticmethod
    async def _is_reached(store: SessionStore, session: SessionId, contact: Contact) -> None:
        with pytest.raises(Held) as refused:
            async with store.open(session):
                pass
        owner = refused.value.details["owner"]
        assert (owner["face"], owner["socket"]) == (contact.face, contact.socket)
        owner = await store.holder(session)
        assert (owner["face"], owner["socket"]) == (contact.face, contact.socket)
