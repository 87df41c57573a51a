"""What a store promises of metadata: replaced as a whole, found by id, listed newest first in pages."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiro_core.errors import Held, SessionNotFound
from kiro_core.ports import SessionStore
from kiro_core.testing.store_samples import records, session, stored
from kiro_core.types import SessionInfo, SessionQuery


class CataloguePromises:
    """Metadata of one session and of all."""

    async def test_metadata_comes_back_as_it_was_given(self, store: SessionStore) -> None:
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

    async def test_metadata_is_replaced_as_a_whole(self, store: SessionStore) -> None:
        info = session(title="first", model="m-1")
        changed = replace(info, title="second", model="", updated="2025-01-03T00:00:00Z")
        async with store.create(info) as db:
            await db.put_info(changed)
            assert db.info == changed
            assert await store.get(info.id) == changed
        async with store.open(info.id) as db:
            assert db.info == changed

    async def test_a_session_that_could_not_be_created_again_is_unchanged(self, store: SessionStore) -> None:
        info = await stored(store, title="first")
        with pytest.raises(Held):
            async with store.create(replace(info, title="second")):
                pass
        assert (await store.get(info.id)).title == "first"

    async def test_an_unknown_session_has_no_metadata(self, store: SessionStore) -> None:
        with pytest.raises(SessionNotFound):
            await store.get(session().id)

    async def test_an_empty_store_lists_nothing(self, store: SessionStore) -> None:
        page = await store.list(SessionQuery())
        assert list(page.items) == []
        assert page.cursor is None

    async def test_sessions_are_listed_newest_first(self, store: SessionStore) -> None:
        infos = [await stored(store, updated=f"2025-01-0{day}T00:00:00Z") for day in (2, 3, 1)]
        page = await store.list(SessionQuery())
        assert list(page.items) == [infos[1], infos[0], infos[2]]

    async def test_sessions_are_listed_by_folder(self, store: SessionStore) -> None:
        here = await stored(store, cwd="/srv/here")
        await stored(store, cwd="/srv/hereafter")
        page = await store.list(SessionQuery(cwd="/srv/here"))
        assert list(page.items) == [here]
        assert list((await store.list(SessionQuery(cwd="/nowhere"))).items) == []

    async def test_sessions_are_listed_by_their_whole_name(self, store: SessionStore) -> None:
        here = await stored(store, name="nightly", cwd="/srv/here")
        there = await stored(store, name="nightly", updated="2024-01-01T00:00:00Z")
        await stored(store, name="nightly-2")
        await stored(store)
        assert list((await store.list(SessionQuery(name="nightly"))).items) == [here, there]
        assert list((await store.list(SessionQuery(cwd="/srv/here", name="nightly"))).items) == [here]
        assert list((await store.list(SessionQuery(name="night"))).items) == []

    async def test_sessions_are_listed_by_one_of_their_tags(self, store: SessionStore) -> None:
        both = await stored(store, tags=("review", "urgent"))
        one = await stored(store, tags=("review",), updated="2024-01-01T00:00:00Z")
        await stored(store, tags=("reviewed",), title="review", name="review")
        assert list((await store.list(SessionQuery(tag="review"))).items) == [both, one]
        assert list((await store.list(SessionQuery(tag="urgent"))).items) == [both]
        page = await store.list(SessionQuery(tag="review"), limit=1)
        assert list((await store.list(SessionQuery(tag="review"), page.cursor, 1)).items) == [one]

    async def test_sessions_in_the_trash_are_listed_alone(self, store: SessionStore) -> None:
        trashed = "2025-02-01T00:00:00Z"
        kept = await stored(store, tags=("review",), name="nightly", cwd="/srv/here")
        old, new = [
            await stored(store, updated=f"2024-01-0{day}T00:00:00Z", tags=("review",), trashed=trashed, name="nightly")
            for day in (1, 2)
        ]
        other = await stored(store, updated="2023-01-01T00:00:00Z", trashed=trashed, cwd="/srv/here")
        assert list((await store.list(SessionQuery())).items) == [kept]
        assert list((await store.list(SessionQuery(tag="review"))).items) == [kept]
        assert list((await store.list(SessionQuery(name="nightly"))).items) == [kept]
        assert list((await store.list(SessionQuery(trashed=True))).items) == [new, old, other]
        assert list((await store.list(SessionQuery(tag="review", trashed=True))).items) == [new, old]
        assert list((await store.list(SessionQuery(cwd="/srv/here", trashed=True))).items) == [other]
        first = await store.list(SessionQuery(trashed=True), limit=2)
        assert list(first.items) == [new, old]
        rest = await store.list(SessionQuery(trashed=True), first.cursor, 2)
        assert (list(rest.items), rest.cursor) == ([other], None)

    async def test_a_session_goes_into_the_trash_and_comes_back_as_it_was(self, store: SessionStore) -> None:
        info = session(title="kept", tags=("review",))
        async with store.create(info) as db:
            await db.append([b"{}"])
        for trashed, kept in (("2025-02-01T00:00:00Z", []), ("", [info])):
            async with store.open(info.id) as db:
                await db.put_info(replace(db.info, trashed=trashed))
            assert await store.get(info.id) == replace(info, trashed=trashed)
            assert list((await store.list(SessionQuery())).items) == kept
            assert len(await records(store, info.id)) == 1

    async def test_sessions_are_listed_in_pages(self, store: SessionStore) -> None:
        infos = [await stored(store, updated=f"2025-01-01T00:00:0{second // 2}Z") for second in range(7)]
        seen: list[SessionInfo] = []
        cursor, pages = None, 0
        while pages == 0 or cursor is not None:
            page = await store.list(SessionQuery(), cursor, 3)
            assert 1 <= len(page.items) <= 3
            seen += page.items
            cursor, pages = page.cursor, pages + 1
        assert pages == 3
        assert {info.id for info in seen} == {info.id for info in infos}
        assert [info.updated for info in seen] == sorted((info.updated for info in infos), reverse=True)
        assert len(seen) == 7

    async def test_pages_hold_still_while_sessions_are_added(self, store: SessionStore) -> None:
        old = [await stored(store, updated=f"2025-01-0{day}T00:00:00Z") for day in (1, 2, 3, 4)]
        first = await store.list(SessionQuery(), limit=2)
        await stored(store, updated="2025-02-01T00:00:00Z")
        second = await store.list(SessionQuery(), first.cursor, 2)
        assert [*first.items, *second.items] == old[::-1]
        assert second.cursor is None

    @pytest.mark.parametrize("cursor", ["", "nonsense", "!", "bnVsbA==", "é"])
    async def test_a_foreign_cursor_is_refused(self, store: SessionStore, cursor: str) -> None:
        await stored(store)
        with pytest.raises(ValueError, match="cursor"):
            await store.list(SessionQuery(), cursor)
