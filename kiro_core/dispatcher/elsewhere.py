"""A session that another process holds is changed by asking that process's desk, at its socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from kiro_core.control import NOBODY, Reached, reach, socket_of
from kiro_core.errors import Disconnected, Held
from kiro_core.ports import Client


@asynccontextmanager
async def desk_of(held: Held, client: Client = NOBODY, *, limit_s: float = 30.0) -> AsyncIterator[Reached]:
    """The desk that holds the session of that error; its verbs answer within `limit_s` seconds.

    Raises on entering:
        Held: the same error, where that desk cannot be reached.

    """
    path = socket_of(held.details.get("owner", {}))
    if path is None:
        raise held
    async with AsyncExitStack() as stack:
        try:
            reached = await stack.enter_async_context(reach(path, client, limit_s=limit_s))
        except Disconnected as error:
            raise held from error
        yield reached
