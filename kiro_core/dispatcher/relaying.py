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
        """See `Client.notify`; how far the client was shown a session stays here."""
        shown: list[Frame] = []
        for frame in frames:
            if frame.method != CURSOR:
                held = self._held.get(frame.session or "")
                (shown if held is None else held).append(frame)
        if shown:
            async with self._sending:
                await self._show(shown)
        for frame in frames:
            if frame.method == CURSOR and isinstance(seq := frame.params.get("seq"), int):
                self.cursors[frame.session or ""] = seq

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
