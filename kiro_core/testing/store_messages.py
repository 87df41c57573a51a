"""What a store promises of a message: what is one comes back as it was, and what is none is refused."""

from __future__ import annotations

import pytest

from kiro_core.errors import RecordInvalid
from kiro_core.ports import SessionStore
from kiro_core.testing.promising import promise
from kiro_core.testing.store_samples import BODIES, names, session, stored
from kiro_core.types import MESSAGE_BYTES, MESSAGE_ID_CHARACTERS


class MessagePromises:
    """Ids and bodies."""

    @promise("store.inbox.bytes")
    @pytest.mark.parametrize("body", BODIES)
    async def test_a_message_comes_back_byte_for_byte(self, store: SessionStore, body: bytes) -> None:
        """The body of a message is kept as bytes."""
        info = await stored(store)
        await store.put(info.id, "one", body)
        async with store.open(info.id) as db:
            assert [message.body for message in await db.pending()] == [body]

    @promise("store.inbox.longest")
    async def test_the_longest_message_comes_back_whole(self, store: SessionStore) -> None:
        """A message and an id of the greatest length that is allowed come back whole."""
        info, name = await stored(store), "n" * MESSAGE_ID_CHARACTERS
        body = b'{"text":"%b"}' % (b"x" * (MESSAGE_BYTES - 11))
        assert len(body) == MESSAGE_BYTES
        await store.put(info.id, name, body)
        async with store.open(info.id) as db:
            assert [(message.id, message.body) for message in await db.pending()] == [(name, body)]

    @promise("store.inbox.strict")
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
        """A body that is no strict JSON object on one line, or too long, is refused with `RecordInvalid`."""
        await self._is_refused(store, "one", body)

    @promise("store.inbox.ids")
    @pytest.mark.parametrize("name", ["", "n" * (MESSAGE_ID_CHARACTERS + 1), "a\nb", "a\0", "\x7f", "\udc80"])
    async def test_what_cannot_be_printed_is_no_id(self, store: SessionStore, name: str) -> None:
        """An id that is empty, too long or not printable is refused with `RecordInvalid`."""
        await self._is_refused(store, name, b"{}")

    @staticmethod
    async def _is_refused(store: SessionStore, name: str, body: bytes) -> None:
        info = session()
        async with store.create(info) as db:
            with pytest.raises(RecordInvalid):
                await store.put(info.id, name, body)
            assert await names(db) == []
