"""Old sessions go by rule: first into the trash, where they can be had back, and after their time there for good.

Each session is a step of its own, under its lease, in which it is looked at again. So whoever is killed in
the midst leaves every session as it was or done with, and desks that do it at a time share the work.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Callable, Container
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio

from kiro_core.dispatcher.due import due
from kiro_core.dispatcher.labels import require_free
from kiro_core.errors import Held, KiroError, NameTaken, RecordInvalid, SessionBusy, SessionNotFound
from kiro_core.journal import utc_now
from kiro_core.ports import SessionStore
from kiro_core.settings import RetentionSettings
from kiro_core.types import Message, Pruned, PruneRule, SessionId, SessionInfo, SessionQuery

_LOG = logging.getLogger(__name__)
_DAY_S = 24 * 60 * 60
_LEVELS = {"trashed": logging.INFO, "deleted": logging.INFO, "held": logging.DEBUG, "changed": logging.DEBUG}


class Retention:
    """The housekeeping of a store; what is in `live` is open in this desk, and never touched."""

    def __init__(
        self, store: SessionStore, live: Container[SessionId], settings: Callable[[], RetentionSettings]
    ) -> None:
        """Do nothing yet; `settings` gives those of the moment."""
        self._store = store
        self._live = live
        self._settings = settings

    async def prune(
        self, rule: PruneRule, *, dry_run: bool = False, only: Container[SessionId] | None = None
    ) -> AsyncGenerator[Pruned, None]:
        """See `Desk.prune`; what becomes of each is told at once, and no more than a page is kept in memory."""
        async with aclosing(due(self._store, rule, timedelta(days=self._settings().trash_days))) as sessions:
            async for info, wanted in sessions:
                if only is None or info.id in only:
                    yield wanted if dry_run and info.id not in self._live else await self._done(info, wanted, rule)
        if only is None:
            for session in (await self._store.list(SessionQuery(), limit=1)).damaged:
                yield Pruned(session, "unreadable", reason="Its metadata cannot be read.")

    async def daily(self) -> None:
        """Prune as the settings say, at once and then once a day, until cancelled; without a rule nothing is done.

        What is done is logged. Nothing that fails there is a desk's business: it is tried again the next day.
        """
        while True:
            tomorrow = anyio.current_time() + _DAY_S
            if rule := self._settings().rule:
                await self._tend(rule)
            await anyio.sleep_until(tomorrow)

    async def restore(self, session: SessionId) -> SessionInfo:
        """See `Desk.restore`."""
        if not (info := await self._store.get(session)).trashed:
            return info
        async with self._store.open(session) as db:
            if db.info.trashed:
                name = await self._free_name(db.info)
                # It counts as used now: the rule that took it would take it again at once.
                await db.put_info(replace(db.info, name=name, trashed="", updated=utc_now()))
            return db.info

    async def _tend(self, rule: PruneRule) -> None:
        try:
            async with aclosing(self.prune(rule)) as pruned:
                async for each in pruned:
                    level = _LEVELS.get(each.outcome, logging.WARNING)
                    told = ": ".join(filter(None, (each.outcome, each.reason)))
                    _LOG.log(level, "retention: session %s: %s", each.session, told)
        except Exception:  # noqa: BLE001 - a boundary: a desk works without its housekeeping as well
            _LOG.exception("retention: not everything could be looked at")

    async def _done(self, info: SessionInfo, wanted: Pruned, rule: PruneRule) -> Pruned:
        """What became of it: what was wanted, or why it was left alone."""
        if info.id in self._live:
            return replace(wanted, outcome="held", until="", reason="It is open in this desk.")
        try:
            if wanted.outcome == "deleted":
                await self._store.delete(info.id, trashed=info.trashed)
            elif wanted.outcome == "trashed":
                await self._trash(info, rule)
        except KiroError as error:
            return replace(wanted, outcome=_left(error), until="", reason=error.sentence)
        return wanted

    async def _trash(self, info: SessionInfo, rule: PruneRule) -> None:
        async with self._store.open(info.id) as db:
            if db.info != info:
                raise SessionBusy("It was used or changed meanwhile.", hint="Prune again.")
            # It counts as used when a message came; a rule that asks for no time does not know that it was.
            if any(not _is_old(message, rule.older_than) for message in await db.pending()):
                raise SessionBusy("Messages came that nobody has read.", hint="Open it, or delete it.")
            await db.put_info(replace(info, trashed=utc_now()))

    async def _free_name(self, info: SessionInfo) -> str:
        """Its name, if no other session of its folder has got it meanwhile."""
        try:
            await require_free(self._store, info.name, info)
        except NameTaken:
            return ""
        return info.name


def _is_old(message: Message, period: timedelta) -> bool:
    try:
        return bool(period) and datetime.fromisoformat(message.at) <= datetime.now(UTC) - period
    except (ValueError, TypeError):  # no time, or one without a zone
        return False


def _left(error: KiroError) -> str:
    """The outcome for a session that was left alone."""
    match error:
        case Held():
            return "held"
        case SessionBusy() | SessionNotFound():
            return "changed"
        case RecordInvalid():
            return "unreadable"
        case _:
            return "failed"
