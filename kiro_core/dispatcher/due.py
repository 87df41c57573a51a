"""Which sessions have to go by now: to the trash by a rule, and out of it when their time is over."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

from kiro_core.ports import SessionStore
from kiro_core.types import Pruned, PruneRule, SessionInfo, SessionQuery

_PAGE = 200


async def due(
    store: SessionStore, rule: PruneRule, period: timedelta
) -> AsyncGenerator[tuple[SessionInfo, Pruned], None]:
    """Each such session as it is listed, and what is wanted of it; `period` is the time in the trash.

    What says of no time that could be understood is told as "unreadable".
    """
    now = datetime.now(UTC)
    async with aclosing(_listed(store, SessionQuery(trashed=True))) as sessions:
        async for info in sessions:
            if wanted := _wanted(info, "deleted", info.trashed, now - period):
                yield info, wanted
    if not rule:
        return
    until, staying = _written(now + period), rule.keep
    async with aclosing(_listed(store, SessionQuery(rule.cwd, tag=rule.tag))) as sessions:
        async for info in sessions:
            staying -= 1
            if staying < 0 and (wanted := _wanted(info, "trashed", info.updated, now - rule.older_than, until)):
                yield info, wanted


def _wanted(info: SessionInfo, outcome: str, since: str, limit: datetime, until: str = "") -> Pruned | None:
    """The outcome, if `since` is before the limit."""
    reason = ""
    try:
        if datetime.fromisoformat(since) > limit:
            return None
    except (ValueError, TypeError):  # no time, or one without a zone
        outcome, until, reason = "unreadable", "", f"{since!r} is no time."
    return Pruned(info.id, outcome, info.updated, info.cwd, info.name, info.title, until, reason)


def _written(time: datetime) -> str:
    return time.isoformat(timespec="seconds").replace("+00:00", "Z")


async def _listed(store: SessionStore, query: SessionQuery) -> AsyncGenerator[SessionInfo, None]:
    cursor = None
    while True:
        page = await store.list(query, cursor, _PAGE)
        for info in page.items:
            yield info
        if (cursor := page.cursor) is None:
            return
