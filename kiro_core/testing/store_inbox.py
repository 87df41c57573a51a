"""What a store promises of inboxes: whoever sends is told that it is there, and it is there once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import anyio
import pytest

from kiro_core.errors import InboxFull, SessionNotFound
from kiro_core.ports import SessionStore
from kiro_core.testing.contract import Opened
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import names, session, with_messages
from kiro_core.types import INBOX_MESSAGES


class InboxPromises:
    """Putting, and what is pending then."""

    @promise("store.inbox.order")
    async def test_messages_are_pending_in_the_order_in_which_they_came(self, store: SessionStore) -> None:
        """What is put, held or not, is pending in order of arrival, with its time in UTC."""
        info = session()
        async with store.create(info) as db:
            assert list(await db.pending()) == []
            assert await store.put(info.id, "z", b'{"n":1}')
            assert await store.put(info.id, "a", b'{"n":2}')
            assert await names(db) == ["z", "a"]
        assert await store.put(info.id, "größe: 1", b'{"n":3}')
        async with store.open(info.id) as db:
            messages = await db.pending()
        assert [(message.id, message.body) for message in messages] == [
            ("z", b'{"n":1}'),
            ("a", b'{"n":2}'),
            ("größe: 1", b'{"n":3}'),
        ]
        assert all(datetime.fromisoformat(message.at).utcoffset() == timedelta() for message in messages)

    @promise("store.inbox.once", core=True)
    async def test_a_message_that_is_sent_again_is_there_once(self, store: SessionStore) -> None:
        """`put` of an id that is pending or was settled is False and changes nothing: it may be repeated."""
        info = session()
        async with store.create(info) as db:
            assert await store.put(info.id, "one", b'{"n":1}')
            assert not await store.put(info.id, "one", b'{"n":2}')
            assert [message.body for message in await db.pending()] == [b'{"n":1}']
            await db.append([b"{}"], consume=["one"])
            assert not await store.put(info.id, "one", b'{"n":3}')
            assert await names(db) == []
        assert not await store.put(info.id, "one", b'{"n":4}')
        async with store.open(info.id) as db:
            assert await names(db) == []
            await db.append([b"{}"])
            await db.commit()
            assert not await store.put(info.id, "one", b'{"n":5}')

    @promise("store.inbox.full")
    async def test_a_full_inbox_refuses_and_drops_nothing(self, store: SessionStore) -> None:
        """A full inbox refuses with `InboxFull`, keeps all that it has, and takes more once something was settled."""
        sent = [f"message {number}" for number in range(INBOX_MESSAGES)]
        info = await with_messages(store, *sent)
        for _ in range(2):
            with pytest.raises(InboxFull):
                await store.put(info.id, "one more", b"{}")
        assert not await store.put(info.id, sent[0], b"{}")
        async with store.open(info.id) as db:
            assert await names(db) == sent
            await db.append([b"{}"], consume=sent[:2])
            assert await store.put(info.id, "one more", b"{}")
            assert await store.put(info.id, "and one", b"{}")
            with pytest.raises(InboxFull):
                await store.put(info.id, "and another", b"{}")
            assert await names(db) == [*sent[2:], "one more", "and one"]

    @promise("store.inbox.unknown")
    async def test_a_session_that_does_not_exist_has_no_inbox(self, store: SessionStore) -> None:
        """`put` to an id that nobody has raises `SessionNotFound`; no inbox of a deleted session comes back."""
        info, gone = session(), session()
        async with store.create(gone):
            await store.put(gone.id, "one", b"{}")
        await store.delete(gone.id)
        for name in (info.id, gone.id):
            with pytest.raises(SessionNotFound):
                await store.put(name, "one", b"{}")
            store.wake(name)
        async with store.create(gone) as db:
            assert await names(db) == []
            assert await store.put(gone.id, "one", b"{}")

    @promise("store.inbox.trash")
    async def test_an_inbox_goes_into_the_trash_and_comes_back(self, store: SessionStore) -> None:
        """A session in the trash keeps its inbox, and takes messages."""
        info = await with_messages(store, "one")
        async with store.open(info.id) as db:
            await db.put_info(replace(db.info, trashed="2025-02-01T00:00:00Z"))
        assert await store.put(info.id, "two", b"{}")
        async with store.open(info.id) as db:
            await db.put_info(replace(db.info, trashed=""))
            assert await names(db) == ["one", "two"]

    @promise("store.inbox.contenders")
    async def test_of_many_that_put_at_once_each_has_its_message_there_or_is_told(
        self, store: SessionStore, opened: Opened
    ) -> None:
        """Of many that put at a time, each has its message there, or was told that it is not."""
        info = session()
        there, full = list[str](), list[str]()

        async def put(which: SessionStore, name: str) -> None:
            try:
                there.extend([name] * await which.put(info.id, name, b"{}"))
            except InboxFull:
                full.append(name)

        with anyio.fail_after(60):
            async with opened() as other, store.create(info) as db:
                async with anyio.create_task_group() as tasks:
                    for number in range(INBOX_MESSAGES // 2 + 10):
                        for who, which in (("one", store), ("other", other), ("other", other)):
                            tasks.start_soon(put, which, f"{number} of {who}")
                assert sorted(await names(db)) == sorted(there)
        assert len(there) == INBOX_MESSAGES
        assert len(set(there)) == INBOX_MESSAGES
        assert not set(full) & set(there)
