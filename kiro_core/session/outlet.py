"""What a session shows to its client: after the answer that announces it, and never into nothing."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from kiro_core.errors import Disconnected
from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.notices import at_next_turn, at_once
from kiro_core.ports import Client
from kiro_core.types import Notice, SessionId


class Outlet:
    """The way to the client of one session; a client that is gone misses what the record has."""

    def __init__(self, session: SessionId, client: Client | None) -> None:
        """Hold everything back until `release`: a session is unknown to its client before the answer."""
        self.client = client
        self._session = session
        self._held: list[Frame] | None = []
        self._sending = anyio.Lock(fast_acquire=True)
        self._untold: list[Notice] = []

    def hold(self, client: Client) -> None:
        """Hold back again, for another client."""
        self.client = client
        self._held = self._held or []

    def leave(self, client: Client) -> None:
        """Show nothing more to a client that detached."""
        if self.client is client:
            self.client = None

    async def show(self, frames: Sequence[Frame]) -> None:
        """Pass notifications on, in order."""
        if self._held is not None:
            self._held.extend(frames)
        elif frames:
            async with self._sending:
                await self._send(frames)

    async def release(self) -> None:
        """Show what was held back; call it from a task that runs after the answer was written.

        What is shown meanwhile waits its turn, so that nothing overtakes and a slow client slows its agent.
        """
        async with self._sending:
            frames, self._held = self._held, None
            if frames:
                await self._send(frames)

    async def tell(self, notice: Notice, journal: Journal, *, in_turn: bool) -> None:
        """Record a notice and tell it now where the client understands one, else at the next turn."""
        await journal.event("notice", {"notice": notice.kind, "text": notice.sentence, **notice.details})
        frame = at_once(notice, self.client.info, self._session) if self.client is not None else None
        if frame is None and in_turn:
            frame = at_next_turn(notice, self._session)
        if frame is None:
            self._untold.append(notice)
        else:
            await self.show([frame])

    async def turn_begins(self) -> None:
        """Tell what waited for a turn."""
        notices, self._untold = self._untold, []
        await self.show([at_next_turn(notice, self._session) for notice in notices])

    async def _send(self, frames: Sequence[Frame]) -> None:
        client = self.client
        if client is None:
            return
        try:
            await client.notify(frames)
        except Disconnected:
            self.leave(client)
