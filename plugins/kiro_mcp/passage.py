"""An answer over HTTP on its way out, which may have to be ended by somebody else than who has begun it."""

from __future__ import annotations

from starlette.types import Message, Send


class Passage:
    """What of an answer has gone out, so that one that is cut off is still an answer by the rules of HTTP."""

    def __init__(self, send: Send) -> None:
        """Nothing has; `status` is that of the answer, 0 before it has begun."""
        self.status = 0
        self._send = send
        self._done = False

    @property
    def begun(self) -> bool:
        """Whether anything has."""
        return self.status != 0

    async def send(self, message: Message) -> None:
        """Send a part of the answer."""
        await self._send(message)
        self.status = message.get("status", self.status)
        self._done = message["type"] == "http.response.body" and not message.get("more_body", False)

    async def finish(self) -> None:
        """End an answer that has begun."""
        if not self._done:
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
