"""What a store promises of its listing: all that match, newest first, in pages that hold still."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kiro_core.ports import SessionStore
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import stored
from kiro_core.types import SessionInfo, SessionQuery


class ListingPromises:
    """Queries and pages."""

    @promise("store.catalogue.empty")
    async def test_an_empty_store_lists_nothing(self, store: SessionStore) -> None:
        """A new store lists nothing, on one page."""
        page = await store.list(SessionQuery())
        assert list(page.items) == []
        assert page.cursor is None

    @promise("store.catalogue.newest-first")
    async def test_sessions_are_listed_newest_first(self, store: SessionStore) -> None:
        """Sessions are listed by `updated`, the newest first."""
        infos = [await stored(store, updated=f"2025-01-0{day}T00:00:00Z") for day in (2, 3, 1)]
        page = await store.list(SessionQuery())
        assert list(page.items) == [infos[1], infos[0], infos[2]]

    @promise("store.catalogue.by-folder")
    async def test_sessions_are_listed_by_folder(self, store: SessionStore) -> None:
        """`SessionQuery.cwd` matches the whole folder."""
        here = await stored(store, cwd="/srv/here")
        await stored(store, cwd="/srv/hereafter")
        page = await store.list(SessionQuery(cwd="/srv/here"))
        assert list(page.items) == [here]
        for folder in ("/nowhere", "/srv/\udcff"):  # one whose name is not UTF-8, as Python has it
            assert list((await store.list(SessionQuery(cwd=folder))).items) == []

    @promise("store.catalogue.by-name")
    async def test_sessions_are_listed_by_their_whole_name(self, store: SessionStore) -> None:
        """`SessionQuery.name` matches the whole name, alone and together with a folder."""
        here = await stored(store, name="nightly", cwd="/srv/here")
        there = await stored(store, name="nightly", updated="2024-01-01T00:00:00Z")
        await stored(store, name="nightly-2")
        await stored(store)
        assert list((await store.list(SessionQuery(name="nightly"))).items) == [here, there]
        assert list((await store.list(SessionQuery(cwd="/srv/here", name="nightly"))).items) == [here]
        for name in ("night", "\ud800"):
            assert list((await store.list(SessionQuery(name=name))).items) == []

    @promise("store.catalogue.by-tag")
    async def test_sessions_are_listed_by_one_of_their_tags(self, store: SessionStore) -> None:
        """`SessionQuery.tag` matches one tag whole, also over several pages."""
        both = await stored(store, tags=("review", "urgent"))
        one = await stored(store, tags=("review",), updated="2024-01-01T00:00:00Z")
        await stored(store, tags=("reviewed",), title="review", name="review")
        assert list((await store.list(SessionQuery(tag="review"))).items) == [both, one]
        assert list((await store.list(SessionQuery(tag="urgent"))).items) == [both]
        page = await store.list(SessionQuery(tag="review"), limit=1)
        assert list((await store.list(SessionQuery(tag="review"), page.cursor, 1)).items) == [one]

    @promise("store.catalogue.trash")
    async def test_sessions_in_the_trash_are_listed_alone(self, store: SessionStore) -> None:
        """What is in the trash is listed only where it is asked for, and then alone."""
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

    @promise("store.catalogue.pages", core=True)
    async def test_sessions_are_listed_in_pages(self, store: SessionStore) -> None:
        """The pages together have each session once, in order, also where several were updated at one time."""
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

    @promise("store.catalogue.limit")
    async def test_a_page_has_room_for_one_session_at_least(self, store: SessionStore) -> None:
        """A page is as long as asked for, however long that is; one without any room raises `ValueError`."""
        info = await stored(store)
        assert list((await store.list(SessionQuery(), limit=2**64)).items) == [info]
        with pytest.raises(ValueError):  # noqa: PT011 - the port does not say in which words
            await store.list(SessionQuery(), limit=0)

    @promise("store.catalogue.still")
    async def test_pages_hold_still_while_sessions_are_added(self, store: SessionStore) -> None:
        """A session that is added between two pages moves none of the others."""
        old = [await stored(store, updated=f"2025-01-0{day}T00:00:00Z") for day in (1, 2, 3, 4)]
        first = await store.list(SessionQuery(), limit=2)
        await stored(store, updated="2025-02-01T00:00:00Z")
        second = await store.list(SessionQuery(), first.cursor, 2)
        assert [*first.items, *second.items] == old[::-1]
        assert second.cursor is None

    @promise("store.catalogue.come-and-go")
    async def test_pages_of_a_query_miss_nothing_while_sessions_come_and_go(self, store: SessionStore) -> None:
        """While sessions come, go and change between two pages, each that stays is there once, if it matches."""
        days = [await stored(store, updated=f"2025-01-0{day}T00:00:00Z", tags=("a",)) for day in range(1, 9)]
        await stored(store, updated="2025-01-09T00:00:00Z", tags=("b",))
        first = await store.list(SessionQuery(tag="a"), limit=3)
        assert list(first.items) == [days[7], days[6], days[5]]
        for gone in (days[5], days[3]):
            await store.delete(gone.id)
        await stored(store, updated="2025-01-04T12:00:00Z", tags=("b",))
        await stored(store, updated="2025-02-01T00:00:00Z", tags=("a",))
        async with store.open(days[1].id) as db:
            await db.put_info(replace(days[1], tags=("b",)))
        second = await store.list(SessionQuery(tag="a"), first.cursor, 2)
        assert list(second.items) == [days[4], days[2]]
        third = await store.list(SessionQuery(tag="a"), second.cursor, 2)
        assert (list(third.items), third.cursor) == ([days[0]], None)

    @promise("store.catalogue.cursor")
    @pytest.mark.parametrize("cursor", ["", "nonsense", "!", "bnVsbA==", "é"])
    async def test_a_foreign_cursor_is_refused(self, store: SessionStore, cursor: str) -> None:
        """A cursor that the store has not given raises `ValueError`."""
        await stored(store)
        with pytest.raises(ValueError):  # noqa: PT011 - the port does not say in which words
            await store.list(SessionQuery(), cursor)
