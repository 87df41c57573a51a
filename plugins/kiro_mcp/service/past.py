"""What was said: read from the record, whether the session is open or not."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import aclosing

from kiro_core.messages import about
from kiro_core.types import SessionInfo
from kiro_mcp.service.access import Access
from kiro_mcp.service.failing import ToolFailure, in_our_words
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.messages import entries, messages
from kiro_mcp.service.past_views import Found, History, Hit, Item, Said
from kiro_mcp.service.searching import Search
from kiro_mcp.service.showing import one_line

_ENTRIES = 1000


class Past:
    """Conversations as they are recorded."""

    def __init__(self, ground: Ground, access: Access) -> None:
        """Read records of the desk."""
        self._desk = ground.desk
        self._table = ground.table
        self._access = access

    async def history(self, host: Host, session_id: str = "", limit: int = 50) -> History:
        """The newest `limit` messages behind the last place where the history was cleared.

        Raises:
            ToolFailure: SESSION_NOT_FOUND; INVALID_COMMAND for a limit below 1.

        """
        _require_positive(limit)
        session = await self._access.readable(host, session_id)
        kept: deque[Said] = deque(maxlen=limit)
        with in_our_words():
            async with aclosing(self._desk.told(session)) as items, aclosing(messages(items, kept.clear)) as said:
                async for message in said:
                    kept.append(message)
        return History(session, tuple(kept))

    async def clear_history(self, host: Host, session_id: str = "") -> str:
        """Have a session's history begin anew here; nothing is deleted. Its id.

        Raises:
            ToolFailure: SESSION_NOT_FOUND, SESSION_INACTIVE.

        """
        live = await self._access.usable(host, session_id)
        request = about("_kiro_core/session/clear_history", live.id)
        await self._access.call(live, request, "The history could not be cleared")
        return live.id

    async def search(self, host: Host, text: str, limit: int = 20) -> Found:
        """Stored sessions with that text, in any case of its letters, in their labels or in what was said.

        Raises:
            ToolFailure: INVALID_COMMAND for a blank text or a limit below 1.

        """
        _require_positive(limit)
        if not text.strip():
            raise ToolFailure("INVALID_COMMAND", "The query is blank.", hint="Write what to look for.")
        hidden = frozenset(id_ for id_ in self._table.lives if not self._table.sees(host, id_))
        search = Search(self._desk, text.strip(), limit)
        with in_our_words():
            infos = await search.look(hidden)
        return Found([self._hit(info, *search.places[info.id]) for info in infos], search.complete)

    async def transcript(self, host: Host, session_id: str) -> Sequence[Item]:
        """What happened in a session, the newest thousand entries; consecutive chunks are one.

        Raises:
            ToolFailure: SESSION_NOT_FOUND.

        """
        session = await self._access.readable(host, session_id)
        with in_our_words():
            async with aclosing(self._desk.told(session)) as items:
                return await entries(items, _ENTRIES)

    def _hit(self, info: SessionInfo, where: str, excerpt: str) -> Hit:
        is_open = info.id in self._table.lives
        return Hit(info.id, one_line(info.title), info.name, info.cwd, info.updated, is_open, where, excerpt)


def _require_positive(limit: int) -> None:
    if limit < 1:
        raise ToolFailure("INVALID_COMMAND", f"The limit {limit} is not positive.", hint="Leave it out, or raise it.")
