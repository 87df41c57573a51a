"""The tools with which a host looks back: `kiro_history`, `kiro_history_clear`, `kiro_session_search`."""

from __future__ import annotations

from typing import NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from kiro_mcp.server.tool import Answer, Arguments, Call, Tool, Whole
from kiro_mcp.server.words import SESSION, Id
from kiro_mcp.service.past_views import Said

_MOST = 1000


class HistoryArguments(Arguments):
    """Of `kiro_history`."""

    session_id: Id = SESSION
    limit: Whole = Field(default=50, ge=1, le=_MOST, description="The newest so many.")


class SaidShape(TypedDict):
    """One message; `role` is "user" or "assistant", `status` "failed" or "cancelled" at the end of such a turn."""

    role: str
    content: str
    timestamp: str
    status: NotRequired[str]


class HistoryResult(TypedDict):
    """Of `kiro_history`."""

    session_id: str
    history: list[SaidShape]
    count: int


class HistoryClearArguments(Arguments):
    """Of `kiro_history_clear`."""

    session_id: Id = SESSION


class HistoryClearResult(TypedDict):
    """Of `kiro_history_clear`."""

    success: bool
    session_id: str


class SearchArguments(Arguments):
    """Of `kiro_session_search`."""

    query: str = Field(min_length=1, description="A text in labels, folders or messages.")
    limit: Whole = Field(default=20, ge=1, le=_MOST, description="At most so many.")


class HitShape(TypedDict):
    """One session that was found, and where."""

    session_id: str
    title: str
    name: str
    working_directory: str
    updated_at: str
    is_open: bool
    where: str
    excerpt: str


class SearchResult(TypedDict):
    """Of `kiro_session_search`; not `complete` when there may be more."""

    sessions: list[HitShape]
    count: int
    complete: bool


async def _history(call: Call, given: HistoryArguments) -> Answer:
    found = await call.service.past.history(call.host, given.session_id, given.limit)
    said = [_said(one) for one in found.messages]
    result: HistoryResult = {"session_id": found.session_id, "history": said, "count": len(said)}
    return result


def _said(one: Said) -> SaidShape:
    said: SaidShape = {"role": one.role, "content": one.content, "timestamp": one.timestamp}
    if one.status:
        said["status"] = one.status
    return said


async def _clear(call: Call, given: HistoryClearArguments) -> Answer:
    session_id = await call.service.past.clear_history(call.host, given.session_id)
    result: HistoryClearResult = {"success": True, "session_id": session_id}
    return result


async def _search(call: Call, given: SearchArguments) -> Answer:
    found = await call.service.past.search(call.host, given.query, given.limit)
    hits: list[HitShape] = [
        {
            "session_id": hit.session_id,
            "title": hit.title,
            "name": hit.name,
            "working_directory": hit.working_directory,
            "updated_at": hit.updated_at,
            "is_open": hit.is_open,
            "where": hit.where,
            "excerpt": hit.excerpt,
        }
        for hit in found.hits
    ]
    result: SearchResult = {"sessions": hits, "count": len(hits), "complete": found.complete}
    return result


HISTORY = Tool(
    name="kiro_history",
    title="Show the history",
    description="What was said in a session.",
    takes=HistoryArguments,
    gives=HistoryResult,
    run=_history,
    reads=True,
)
HISTORY_CLEAR = Tool(
    name="kiro_history_clear",
    title="Clear the history",
    description="Have kiro_history begin anew; nothing is deleted.",
    takes=HistoryClearArguments,
    gives=HistoryClearResult,
    run=_clear,
    destroys=True,
    repeatable=True,
)
SEARCH = Tool(
    name="kiro_session_search",
    title="Search sessions",
    description="Find stored sessions by a text.",
    takes=SearchArguments,
    gives=SearchResult,
    run=_search,
    reads=True,
)
