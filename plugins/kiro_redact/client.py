"""The client as an agent program meets it: what it says is redacted, what it wants done stays as it is."""

from __future__ import annotations

from collections.abc import Sequence

import anyio

from kiro_core.frames import Frame
from kiro_core.ports import Client, PassingClient
from kiro_redact.outflow import Outflow
from kiro_redact.redactor import Redactor

_JUDGED = ("session/request_permission", "elicitation/create")
"""The desk has these redacted itself where it records and shows them; it judges them as they were asked."""

_DONE = ("fs/", "terminal/")
"""What is written or run is what the agent means, or it would destroy a person's files."""


class RedactingClient(PassingClient):
    """Stands between one agent program and its session."""

    def __init__(self, client: Client, redactor: Redactor) -> None:
        """Pass on to `client` what may be shown."""
        super().__init__(client)
        self._redactor = redactor
        self._flow = Outflow(redactor)
        self._turns = 0
        # The end of a turn is met in another task than its updates; who has nothing to show waits for nobody.
        self._order = anyio.Lock(fast_acquire=True)

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`; without a turn, at whose end it would be let go, nothing is held back."""
        shown = self._flow.passed(frames)
        if not self._turns:
            shown += self._flow.let_go()
        await self._show(shown)

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`."""
        await self._show(self._flow.let_go())
        method = frame.method or ""
        if method not in _JUDGED and not method.startswith(_DONE):
            frame = self._redactor.frame(frame)
        return await self.client.request(frame)

    def turn_begins(self) -> None:
        """From now on the end of a text may be held back."""
        self._turns += 1

    async def turn_ends(self, *, cut: bool) -> None:
        """Let go what is held back; `cut` tells that the turn ended before the agent had said all."""
        self._turns -= 1
        shown = self._flow.let_go(cut=cut)
        if not self._turns:
            self._flow.forget()
        await self._show(shown)

    async def _show(self, frames: Sequence[Frame]) -> None:
        if frames:
            async with self._order:
                await self.client.notify(frames)
