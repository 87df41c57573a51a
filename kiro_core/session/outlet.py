"""What a session shows to its client: after the answer that announces it, and never into nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress

import anyio

from kiro_core.errors import Disconnected, Unavailable
from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.notices import at_next_turn, at_once
from kiro_core.ports import Client
from kiro_core.types import Notice, PeerInfo, SessionId

_LOG = logging.getLogger(__name__)


class Outlet:
    """The way to the client of one session; a client that is gone misses what the record has."""

    def __init__(self, session: SessionId, client: Client | None) -> None:
        """Hold everything back until `release`: a session is unknown to its client before the answer."""
        self.client = client
        self.held_for = object()
        self._session = session
        self._held: list[Frame] | None = []
        self._sending = anyio.Lock(fast_acquire=True)
        self._untold: list[Notice] = []

    def hold(self, client: Client) -> object:
        """Hold back again, for another client, who gets what happened before from the record.

        Returns:
            What `release` takes.

        """
        self.client = client
        self._held = []
        self.held_for = object()
        return self.held_for

    @property
    def told(self) -> PeerInfo:
        """What the client said of itself; nothing of one that is gone."""
        return self.client.info if self.client is not None else PeerInfo()

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

    async def release(self, held_for: object) -> None:
        """Show what was held back; call it from a task that runs after the answer was written.

        `held_for` is what `hold` returned: when somebody holds again meanwhile, this does nothing.
        What is shown meanwhile waits its turn, so that nothing overtakes and
        a slow client slows its agent.
        """
        async with self._sending:
            if held_for is not self.held_for:
                return
            frames, self._held = self._held, None
            if frames:
                await self._send(frames)

    async def tell(self, notice: Notice, journal: Journal, *, in_turn: bool) -> None:
        """Record a notice and tell it now where the client understands one, else at the next turn.

        It is told although the store does not take it now: it is kept for the record, and nothing that was said.
        """
        with suppress(Unavailable):
            await journal.event("notice", {"notice": notice.kind, "text": notice.sentence, **notice.details})
        if self.client is None:
            self._untold.append(notice)
            return
        frame = at_once(notice, self.client.info, self._session)
        if frame is None and in_turn:
            frame = at_next_turn(notice, self._session)
        if frame is None:
            self._untold.append(notice)
        else:
            await self.show([frame])

    def untell(self) -> None:
        """Forget what waits for a turn: it was of an agent program that is not there any more."""
        self._untold.clear()

    async def turn_begins(self) -> None:
        """Tell what waited for a turn, where there is somebody to be told."""
        if self.client is None:
            return
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
        except Exception:  # noqa: BLE001 - a client is a boundary: its failure ends neither session nor desk
            _LOG.exception("session %s: its client failed and is shown nothing more", self._session)
            self.leave(client)
