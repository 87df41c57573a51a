"""A request that was sent and whose response comes later."""

from __future__ import annotations

from collections.abc import Callable

import anyio

from kiro_core.errors import Disconnected
from kiro_core.frames import Frame


class Pending:
    """Who waits for one response; `id` is the JSON text of the request's id."""

    def __init__(self, id: bytes, arrived: Callable[[Frame], None] | None = None) -> None:  # noqa: A002 - JSON-RPC's word
        """Wait for nothing yet; `arrived` is called with the response before anything that follows it is handled."""
        self.id = id
        self._notice = arrived
        self._arrived = anyio.Event()
        self._response: Frame | None = None

    def resolve(self, response: Frame | None) -> None:
        """Give the response, or None when the connection ended."""
        self._response = response
        if response is not None and self._notice is not None:
            self._notice(response)
        self._arrived.set()

    async def settled(self) -> Frame:
        """Wait for the response; cancelling the wait leaves the request alone.

        Raises:
            Disconnected: the connection ended first.

        """
        await self._arrived.wait()
        if self._response is None:
            raise Disconnected("The connection ended before the request was answered.")
        return self._response
