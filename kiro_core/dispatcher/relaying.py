"""What another desk shows and asks reaches our client, behind the answer that announces its session."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

import anyio

from kiro_core.errors import Disconnected
from kiro_core.frames import Frame
from kiro_core.notices import CURSOR, CURSORS
from kiro_core.ports import Client
from kiro_core.types import PeerInfo


class Relay:
    """Implements `Client` for another desk; `cursors` has the last record that was shown of each session."""

    def __init__(self, client: Client) -> None:
        """Pass on to `client`."""
        self.cursors: dict[str, int] = {}
        self._client = client
        self._held: dict[str, list[Frame]] = {}
        self._unsure: dict[str, list[Frame]] = {}
        self._released = anyio.Event()
        self._sending = anyio.Lock(fast_acquire=True)

    @property
    def info(self) -> PeerInfo:
        """The client, who is told by us how far it is."""
        info = self._client.info
        return replace(info, abilities=info.abilities | {CURSORS})

    def hold(self, session: str) -> None:
        """Hold back what follows the answer that opens a session, until `release`."""
        self._held[session] = []

    async def release(self, session: str) -> None:
        """Show what was held back; call it from a task that runs after the answer was written."""
        async with self._sending:
            frames = self._held.pop(session, [])
            self._released.set()
            self._released = anyio.Event()
            await self._show(frames)

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`; how far the client was shown a session stays here.

        What follows a cursor without a number is shown when the number is here: of what a desk could not tell whole,
        since it was killed, nothing is, as all of it is read from the record later.
        """
        shown: list[Frame] = []
        reached: dict[str, int] = {}
        for frame in frames:
            session = frame.session or ""
            if frame.method != CURSOR:
                (self._unsure.get(session, self._held.get(session, shown))).append(frame)
            elif isinstance(seq := frame.params.get("seq"), int):
                self._held.get(session, shown).extend(self._unsure.pop(session, ()))
                reached[session] = seq
            else:
                self._unsure[session] = []
        if shown:
            async with self._sending:
                await self._show(shown)
        self.cursors |= reached

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`."""
        while frame.session in self._held:
            await self._released.wait()
        return await self._client.request(frame)

    async def _show(self, frames: Sequence[Frame]) -> None:
        if frames:
            # A client that is gone detaches in a moment, and what it missed is on record.
            with suppress(Disconnected):
                await self._client.notify(frames)
