"""A connection is read beside what is done with it, and whoever asked before its end is still answered."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import anyio

from kiro_core.rpc.peer import Peer

_LAST_ANSWERS_S = 1.0


@asynccontextmanager
async def speaking(peer: Peer, hung_up: Callable[[], None]) -> AsyncIterator[None]:
    """Read beside the block; behind it, requests that are open have a second to be answered.

    `hung_up` is called when nothing more is read. What the block raises may come out in a group.
    """
    reading = anyio.CancelScope(shield=True)

    async def read() -> None:
        # Shielded, so that answers still go out while whoever serves them is cancelled.
        with reading:
            await peer.run()
        hung_up()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(read)
        try:
            yield
        finally:
            with anyio.move_on_after(_LAST_ANSWERS_S, shield=True):
                await peer.served()
            reading.cancel()
