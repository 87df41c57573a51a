"""What a store promises of inboxes: whoever sends is told that it is there, and it is there once."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, ClassVar

import anyio
import pytest

from kiro_core.errors import InboxFull, RecordInvalid, SessionNotFound
from kiro_core.ports import SessionStore
from kiro_core.provider import AnyProvider
from kiro_core.testing.contract import opened
from kiro_core.testing.store_samples import BODIES, names, session, stored, with_messages
from kiro_core.types import INBOX_MESSAGES, MESSAGE_BYTES, MESSAGE_ID_CHARACTERS


class InboxPromises:
    """Putting, and what is pending then."""

    provider: ClassVar[AnyProvider]

    async def test_messages_are_pending_in_the_order_in_which_they_came(self, store: SessionStore) -> None:
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

    @pytest.mark.parametrize("body", BODIES)
    async def test_a_message_comes_back_byte_for_byte(self, store: SessionStore, body: bytes) -> None:
        info = await stored(store)
        await store.put(info.id, "one", body)
        async with store.open(info.id) as db:
            assert [message.body for message in await db.pending()] == [body]

    async def test_the_longest_message_comes_back_whole(self, store: SessionStore) -> None:
        info, name = await stored(store), "n" * MESSAGE_ID_CHARACTERS
        body = b'{"text":"%b"}' % (b"x" * (MESSAGE_BYTES - 11))
        assert len(body) == MESSAGE_BYTES
        await store.put(info.id, name, body)
        async with store.open(info.id) as db:
            assert [(message.id, message.body) for message in await db.pending()] == [(name, body)]

    @pytest.mark.parametrize(
        "body",
        [
            b"",
            b"[]",
            b"7",
            b'{"a":1',
            b'{"a":1}{}',
            b'{"a":\n1}',
            b'{"a":1}\n',
            b'{"a":NaN}',
            b'{"a":"\xff"}',
            b'{"a":"%b"}' % (b"x" * MESSAGE_BYTES),
        ],
    )
    async def test_what_is_not_one_strict_object_of_bounded_size_is_no_message(
        self, store: SessionStore, body: bytes
    ) -> None:
        await self._is_refused(store, "one", body)

    @pytest.mark.parametrize("name", ["", "n" * (MESSAGE_ID_CHARACTERS + 1), "a\nb", "a\0", "\x7f", "\udc80"])
    async def test_what_cannot_be_printed_is_no_id(self, store: SessionStore, name: str) -> None:
        await self._is_refused(store, name, b"{}")

    async def test_a_message_that_is_sent_again_is_there_once(self, store: SessionStore) -> None:
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

    async def test_a_full_inbox_refuses_and_drops_nothing(self, store: SessionStore) -> None:
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

    async def test_a_session_that_does_not_exist_has_no_inbox(self, store: SessionStore) -> None:
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

    async def test_an_inbox_goes_into_the_trash_and_comes_back(self, store: SessionStore) -> None:
        info = await with_messages(store, "one")
        async with store.open(info.id) as db:
            await db.put_info(replace(db.info, trashed="2025-02-01T00:00:00Z"))
        assert await store.put(info.id, "two", b"{}")
        async with store.open(info.id) as db:
            await db.put_info(replace(db.info, trashed=""))
            assert await names(db) == ["one", "two"]

    async def test_of_many_that_put_at_once_each_has_its_message_there_or_is_told(
        self, store: SessionStore, options: dict[str, Any]
    ) -> None:
        info = session()
        there, full = list[str](), list[str]()

        async def put(which: SessionStore, name: str) -> None:
            try:
                there.extend([name] * await which.put(info.id, name, b"{}"))
            except InboxFull:
                full.append(name)

        with anyio.fail_after(60):
            async with opened(self.provider, options) as other, store.create(info) as db:
                async with anyio.create_task_group() as tasks:
                    for number in range(INBOX_MESSAGES // 2 + 10):
                        for which in (store, other, other):
                            tasks.start_soon(put, which, f"{number % 60} of {'other' if which is other else 'one'}")
                assert sorted(await names(db)) == sorted(there)
        assert len(there) == INBOX_MESSAGES
        assert len(set(there)) == INBOX_MESSAGES
        assert not set(full) & set(there)

    @staticmethod
    async def _is_refused(store: SessionStore, name: str, body: bytes) -> None:
        info = session()
        async with store.create(info) as db:
            with pytest.raises(RecordInvalid):
                await store.put(info.id, name, body)
            assert await names(db) == []
