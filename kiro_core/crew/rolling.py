"""What a session used with all that stands below it, from the records of each."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TYPE_CHECKING

from kiro_core.crew.usage import used
from kiro_core.errors import RecordInvalid, SessionNotFound
from kiro_core.types import SessionId, SessionInfo, SessionQuery, Usage

if TYPE_CHECKING:
    from kiro_core.ports import SessionStore

_LOG = logging.getLogger(__name__)
_PAGE = 200


async def listed(store: SessionStore, query: SessionQuery) -> AsyncGenerator[SessionInfo, None]:
    """All that a query matches, the newest first, page by page.

    Raises:
        Unavailable: the store cannot be listed.

    """
    cursor: str | None = None
    while True:
        page = await store.list(query, cursor, _PAGE)
        for info in page.items:
            yield info
        if (cursor := page.cursor) is None:
            return


async def used_below(store: SessionStore, session: SessionId) -> Usage:
    """See `Crews.usage`; below it, what cannot be read or is in the trash counts as nothing."""
    below = defaultdict(list)
    async with aclosing(listed(store, SessionQuery())) as infos:
        async for info in infos:
            below[info.parent].append(info.id)
    total = await used(store.read(session))
    seen, ahead = {session}, below[session]
    while ahead:
        one = ahead.pop()
        if one not in seen:
            seen.add(one)
            ahead.extend(below[one])
            try:
                total += await used(store.read(one))
            except (RecordInvalid, SessionNotFound) as error:
                _LOG.info("what the session %s used cannot be read: %s", one, error)
    return total
