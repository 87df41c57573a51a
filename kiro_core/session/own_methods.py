"""The requests of ours that no protocol has: what a client asks of a session, and not of its agent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kiro_core.session.session import Session

RELOAD = "_kiro_core/session/reload"
"""`{sessionId}` -> `{changed, configOptions}`: use the agent configuration as its file says today."""

CLEAR = "_kiro_core/session/clear"
"""`{sessionId}` -> `{}`: go on with an agent that knows nothing of what was said (record `context_reset`)."""

CLEAR_HISTORY = "_kiro_core/session/clear_history"
"""`{sessionId}` -> `{}`: what a person is shown of it begins here (record `history_cleared`); nothing is deleted."""


async def _reload(session: Session) -> Mapping[str, Any]:
    return {"changed": await session.swaps.reload(), "configOptions": session.options.all()}


async def _clear(session: Session) -> Mapping[str, Any]:
    await session.swaps.clear()
    return {}


async def _clear_history(session: Session) -> Mapping[str, Any]:
    session.open_turns()
    await session.journal.event("history_cleared", {})
    return {}


OWN_METHODS: Mapping[str, Callable[[Session], Awaitable[Mapping[str, Any]]]] = {
    RELOAD: _reload,
    CLEAR: _clear,
    CLEAR_HISTORY: _clear_history,
}
