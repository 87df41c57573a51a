"""Sessions and records to store, for tests of stores and of what stands on them."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import anyio

from kiro_core.ports import SessionDb, SessionStore
from kiro_core.types import Record, SessionId, SessionInfo

STAMP = "2025-01-02T03:04:05Z"

BODIES = (
    b"{}",
    b'{"kind":"update","data":{"text":"plain"}}',
    '{"text":"Grüße, 世界, 🜲"}'.encode(),
    rb'{"text":"\u00fc \ud83d\ude00 \\ \" \/ \n"}',
    b'{ "blanks" : [ 1 , 2 ] }',
    b'{"number":1180591620717411303424,"float":-1.5e-300,"exact":0.1000}',
    b'{"key":1,"key":2}',
    b'{"seq":99,"until":99,"epoch":99,"body":{"format":2}}',
)
"""Strict JSON objects that a store must give back byte for byte."""


def session(**fields: Any) -> SessionInfo:
    """Metadata of a session that does not exist yet; `fields` are those of `SessionInfo`."""
    return SessionInfo(**{"id": SessionId(str(uuid4())), "cwd": "/work", "created": STAMP, "updated": STAMP} | fields)


async def stored(store: SessionStore, **fields: Any) -> SessionInfo:
    """A session that exists and that nobody holds."""
    info = session(**fields)
    async with store.create(info):
        return info


async def with_messages(store: SessionStore, *some: str) -> SessionInfo:
    """A session that exists and that nobody holds, with messages of these ids in its inbox."""
    info = await stored(store)
    for name in some:
        assert await store.put(info.id, name, b"{}")
    return info


async def names(db: SessionDb) -> list[str]:
    """The ids of what is pending."""
    return [message.id for message in await db.pending()]


async def records(store: SessionStore, session: SessionId, after: int = 0) -> list[Record]:
    """Everything that `read` gives."""
    found = []
    with anyio.fail_after(30):
        async for record in store.read(session, after):
            found.append(record)  # noqa: PERF401 - an asynchronous comprehension hides the bounded wait
    return found
