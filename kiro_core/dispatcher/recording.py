"""What the desk writes of a session from the outside passes that session's middlewares too, open here or not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kiro_core.dispatcher.backends import Backends
from kiro_core.session import Session
from kiro_core.types import SessionId


class Recording:
    """Works for the sessions of one desk."""

    def __init__(self, backends: Backends, live: Mapping[SessionId, Session]) -> None:
        """Look at those that are `live` each time."""
        self._backends = backends
        self._live = live

    async def recorded(self, session: SessionId, value: Any) -> Any:
        """A JSON value as it may be recorded of a session, or of a run, and shown.

        Raises:
            SessionNotFound, Unavailable, RecordInvalid: the session cannot be looked at.
            Vetoed, MiddlewareFailed: it may not be recorded; one that is open here ends.

        """
        if not self._backends.middlewares:
            return value
        live = self._live.get(session)
        if live is not None and live.turns is not None:
            return live.journal.filtered(value)
        info = await self._backends.store.get(session)
        return await self._backends.middlewares.recorded(info, self._backends.settings.limits.middleware_s, value)
