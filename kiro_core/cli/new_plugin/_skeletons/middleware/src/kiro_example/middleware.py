"""Stands between a session and its agent program: vetoes what is asked, and sees what is answered."""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from kiro_core import Frame
from kiro_core.errors import Vetoed
from kiro_core.ports import Agent, Client, PassingAgent, PassingClient, PassingLayer, Turn
from kiro_core.types import SessionInfo

_LOG = logging.getLogger(__name__)


class WordsMiddleware:
    """Implements `Middleware`: one for all sessions, so what it keeps of a session is in the layer."""

    def __init__(self, words: Sequence[str]) -> None:
        """Refuse prompts that have one of the words."""
        self._words = [word.casefold() for word in words]

    @asynccontextmanager
    async def enter(self, session: SessionInfo) -> AsyncIterator["WordsLayer"]:
        """See `Middleware.enter`; what a session needs to be open stands around the `yield`."""
        layer = WordsLayer(self._words)
        yield layer
        _LOG.info("session %s: %d messages have passed", session.id, layer.passed)


class WordsLayer(PassingLayer):
    """Implements `Layer`, for one session; its agent program may be started several times meanwhile."""

    def __init__(self, words: Sequence[str]) -> None:
        """Begin to count."""
        self._words = words
        self.passed = 0

    def agent(self, agent: Agent) -> Agent:
        """See `Layer.agent`."""
        return _Guarded(agent, self._words)

    def client(self, client: Client) -> Client:
        """See `Layer.client`."""
        return _Counted(client, self)


class _Guarded(PassingAgent):
    def __init__(self, agent: Agent, words: Sequence[str]) -> None:
        super().__init__(agent)
        self._words = words

    async def prompt(self, frame: Frame) -> Turn:
        """Refuse it, or pass it on as it is."""
        said = "\n".join(str(block.get("text", "")) for block in frame.params.get("prompt", ())).casefold()
        for word in self._words:
            if word in said:
                raise Vetoed(f"The prompt has {word!r}, which is not allowed here.", hint="Put it in other words.")
        return await super().prompt(frame)


class _Counted(PassingClient):
    def __init__(self, client: Client, layer: WordsLayer) -> None:
        super().__init__(client)
        self._layer = layer

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Count them, and pass them on."""
        self._layer.passed += len(frames)
        await super().notify(frames)
