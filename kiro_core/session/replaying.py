"""Show a client what a session's record holds, in batches, so that a long one fills no memory."""

from __future__ import annotations

from contextlib import aclosing
from functools import partial

from kiro_core.frames import Frame
from kiro_core.journal import conversation
from kiro_core.ports import Client, SessionStore
from kiro_core.types import SessionId

_BATCH = 64


async def replay(store: SessionStore, session: SessionId, head: int, client: Client, *, running: bool) -> None:
    """Notify the client of the conversation up to record `head`; a turn may be `running`.

    Raises:
        Disconnected: it is gone.

    """
    read = partial(store.read, session)
    batch: list[Frame] = []
    async with aclosing(conversation(read(), session, head, running=running, again=read)) as frames:
        async for frame in frames:
            batch.append(frame)
            if len(batch) == _BATCH:
                await client.notify(batch)
                batch = []
    if batch:
        await client.notify(batch)
