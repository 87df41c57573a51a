"""What a store promises of metadata: replaced as a whole, found by id, in the trash and back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import pytest

from kiro_core.errors import Held, SessionNotFound
from kiro_core.ports import SessionStore
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import records, session, stored
from kiro_core.types import SessionId, SessionQuery


class CataloguePromises:
    """Metadata of one session."""

    @promise("store.catalogue.fields")
    async def test_metadata_comes_back_as_it_was_given(self, store: SessionStore) -> None:
        """Every field of `SessionInfo` comes back as it was given, to who holds the session and to who does not."""
        info = session(
            cwd="/srv/größe",
            title='A "title"\nof two lines',
            agent="reviewer",
            engine="rehearsal",
            model="m-1",
            agent_session="their id",
            parent=session().id,
            config_digest="ab" * 32,
            roots=("/srv/one", "/srv/two"),
            name="nightly",
            tags=("größe", "review"),
            titled=True,
            trashed="2025-01-04T00:00:00Z",
        )
        async with store.create(info) as db:
            assert db.info == info
            assert await store.get(info.id) == info
        assert await store.get(info.id) == info
        async with store.open(info.id) as db:
            assert db.info == info

    @promise("store.catalogue.replaced", core=True)
    async def test_metadata_is_replaced_as_a_whole(self, store: SessionStore) -> None:
        """After `put_info` everybody gets the new metadata, with nothing of the old left."""
        info = session(title="first", model="m-1")
        changed = replace(info, title="second", model="", updated="2025-01-03T00:00:00Z")
        async with store.create(info) as db:
            await db.put_info(changed)
            assert db.info == changed
            assert await store.get(info.id) == changed
        async with store.open(info.id) as db:
            assert db.info == changed

    @promise("store.catalogue.create-refused")
    async def test_a_session_that_could_not_be_created_again_is_unchanged(self, store: SessionStore) -> None:
        """A `create` that is refused changes nothing of the session that is there."""
        info = await stored(store, title="first")
        with pytest.raises(Held):
            async with store.create(replace(info, title="second")):
                pass
        assert (await store.get(info.id)).title == "first"

    @promise("store.catalogue.unknown")
    async def test_an_unknown_session_has_no_metadata(self, store: SessionStore) -> None:
        """`get` of an id that nobody has raises `SessionNotFound`."""
        with pytest.raises(SessionNotFound):
            await store.get(session().id)

    @promise("store.catalogue.odd-id")
    @pytest.mark.parametrize("name", ["", "\ud800", "a\0b", "../x", "é x", "n" * 300])
    async def test_whatever_text_somebody_gives_as_an_id_it_is_that_of_no_session(
        self, store: SessionStore, name: str
    ) -> None:
        """Any text that is the id of no session is answered with `SessionNotFound`, by each verb that takes one."""
        await stored(store)
        odd = SessionId(name)
        attempts: list[Callable[[], Awaitable[object]]] = [
            *(partial(verb, odd) for verb in (store.get, store.holder, store.freed, store.delete, store.verify)),
            partial(store.put, odd, "one", b"{}"),
            partial(store.evict, odd, 1),
            partial(records, store, odd),
        ]
        for attempt in attempts:
            with pytest.raises(SessionNotFound):
                await attempt()
        with pytest.raises(SessionNotFound):
            async with store.open(odd):
                pass

    @promise("store.catalogue.restored")
    async def test_a_session_goes_into_the_trash_and_comes_back_as_it_was(self, store: SessionStore) -> None:
        """A session that comes back from the trash has its metadata and its records."""
        info = session(title="kept", tags=("review",))
        async with store.create(info) as db:
            await db.append([b"{}"])
        for trashed, kept in (("2025-02-01T00:00:00Z", []), ("", [info])):
            async with store.open(info.id) as db:
                await db.put_info(replace(db.info, trashed=trashed))
            assert await store.get(info.id) == replace(info, trashed=trashed)
            assert list((await store.list(SessionQuery())).items) == kept
            assert len(await records(store, info.id)) == 1
