"""A session's metadata while it is held: changed by several tasks, written whole, and never lost for a full disk."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import anyio

from kiro_core.errors import Unavailable
from kiro_core.journal import utc_now
from kiro_core.lazily import LazyLock
from kiro_core.ports import SessionDb
from kiro_core.types import SessionInfo

Beside = Callable[[Callable[[], Awaitable[None]]], object]
"""Runs something in a task of its own, which ends the session where it raises."""

_LOG = logging.getLogger(__name__)
_WINDOW_S = 1.0
_STORE_S = 5.0
_SAID = ("crew", "title")
"""The fields that hold what people and agents have said."""


class Metadata:
    """The one writer of a held session's `SessionInfo`; `info` is it as it is now, written or about to be.

    What cannot be written now is written with the next change: the log has all that matters.
    """

    def __init__(self, db: SessionDb, filtered: Callable[[Any], Any]) -> None:
        """Begin with what is stored; what others have said is written as `filtered` gives it."""
        self.info: SessionInfo = db.info
        self._filtered = filtered
        self._db = db
        self._written = db.info
        self._writing = LazyLock()
        self._later: dict[str, Any] = {}
        self._keeping = False
        self._beside: Beside | None = None

    def newest(self, stored: SessionInfo) -> SessionInfo:
        """What the store has, with what was noted since: only that may be told before it is written."""
        return replace(stored, **self._later)

    async def note(self, **changes: Any) -> None:
        """Change fields of `SessionInfo` as of now; written within a second, together with what else changes."""
        self._change(changes)
        self._later.update(changes, updated=self.info.updated)
        self._write_soon()

    async def write(self, **changes: Any) -> None:
        """The same for what has to be durable before anybody is told.

        Raises:
            Fenced: the lease has ended.

        """
        self._change(changes)
        for name in changes:
            self._later.pop(name, None)
        await self._put()

    def keep(self, beside: Beside | None) -> None:
        """From now on have what was noted written `beside` all else; None: no more."""
        self._beside = beside
        if self._later:
            self._write_soon()

    def _write_soon(self) -> None:
        if self._beside is not None and not self._keeping:
            self._keeping = True
            self._beside(self._write_noted)

    async def _write_noted(self) -> None:
        await anyio.sleep(_WINDOW_S)
        self._keeping = False
        await self._put()

    def _change(self, changes: dict[str, Any]) -> None:
        changes |= {name: self._filtered(value) for name, value in changes.items() if name in _SAID}
        self.info = replace(self.info, updated=utc_now(), **changes)

    async def _put(self) -> None:
        async with self._writing:
            if (info := self.info) is self._written:
                return
            try:
                await self._replaced(info)
            except Unavailable as error:
                _LOG.warning("session %s: its metadata could not be written: %s", info.id, error)
            else:
                self._written = info
                if info is self.info:
                    self._later.clear()

    async def _replaced(self, info: SessionInfo) -> None:
        with anyio.move_on_after(_STORE_S):
            await self._db.put_info(info)
            return
        raise Unavailable(f"The store did not take it within {_STORE_S:g} s.", hint="See whether its disk hangs.")
