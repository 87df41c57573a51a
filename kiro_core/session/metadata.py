"""A session's metadata while it is held: changed by several tasks, written whole, and never lost for a full disk."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

import anyio

from kiro_core.errors import Unavailable
from kiro_core.journal import utc_now
from kiro_core.ports import SessionDb

_LOG = logging.getLogger(__name__)


class Metadata:
    """The one writer of a held session's `SessionInfo`; `info` is it as it is now, written or about to be."""

    def __init__(self, db: SessionDb) -> None:
        """Begin with what is stored."""
        self.info = db.info
        self._db = db
        self._writing = anyio.Lock()

    async def note(self, **changes: Any) -> None:
        """Replace it, as of now; `changes` are fields of `SessionInfo`.

        What cannot be written now is written with the next change: the log has all that matters.
        """
        self.info = replace(self.info, updated=utc_now(), **changes)
        async with self._writing:
            try:
                await self._db.put_info(self.info)
            except Unavailable as error:
                _LOG.warning("session %s: its metadata could not be written: %s", self.info.id, error)
