"""A layer between a client and an `EchoAgent`, and values that a desk has a layer look at before it records them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anyio
import anyio.lowlevel

from kiro_core.errors import KiroError, Vetoed, unwrapped
from kiro_core.frames import Frame
from kiro_core.middleware.failing import Failing, Own
from kiro_core.middleware.stop import Stop
from kiro_core.ports import Agent, Client, Layer, Turn
from kiro_core.testing.client import RecordingClient
from kiro_core.testing.echo import EchoAgent

BOUND_S = 30
OWN_S = 5.0
"""What a desk gives a middleware of its own at each place, by default."""

RECORDED: tuple[Any, ...] = (
    {"sessionId": "s", "prompt": [{"type": "text", "text": "Größe?"}, {"type": "image", "data": "AAAA"}]},
    {"notice": "silence", "text": "The agent has not been heard for 600 s.", "severity": "warning", "turn": "1.1"},
    {"terminalId": "t", "output": "done\n" * 100, "truncated": False, "exitStatus": {"exitCode": 0, "signal": None}},
    {"state": "failed", "open": ["1.2", "1.3"], "error": {"code": -32603, "message": "No.", "data": [1, 2.5, None]}},
    {"name": "", "text": "Look at src/main.py, line 7.\n\nIt is wrong.", "about": {}},
    "Fix the build",
    "",
    [],
    {},
)
"""Values as a desk records and shows them."""

Entered = Callable[..., AbstractAsyncContextManager[Layer]]
"""`entered(title="...")`: the layer of another session, whose `SessionInfo` has those fields."""


@dataclass(frozen=True, slots=True)
class Passage:
    """What passes a layer: `agent` is what a desk asks, `echo` the agent behind the layer, `client` who is told.

    `speaker` is the client as the agent behind the layer meets it.
    """

    agent: Agent
    echo: EchoAgent
    client: RecordingClient
    speaker: Client

    async def begin(self, session: str, text: str) -> Turn:
        """Send a prompt."""
        params = {"sessionId": session, "prompt": [{"type": "text", "text": text}]}
        return await self.agent.prompt(Frame.of("session/prompt", params, id=0))

    async def turn(self, session: str, text: str) -> Frame:
        """Have a turn: its outcome."""
        return await (await self.begin(session, text)).settled()

    async def speaks(self, session: str) -> None:
        """Wait until the agent has said something, whether the layer has let it pass by now or not."""
        while not ((turn := self.echo.turns.get(session)) and turn.said):
            await anyio.lowlevel.checkpoint()


class _Strict:
    """Implements `Layered`: who fails where nothing is to be kept out has not kept the contract."""

    def fail(self, error: KiroError) -> None:
        raise error

    async def kept_out(self, by: str, updates: int, veto: Vetoed) -> None:
        """Let it: lines that are no message may be dropped."""

    async def denied(self, by: str, frame: Frame, error: Own) -> Frame:  # noqa: ARG002 - `Layered`
        raise error


@asynccontextmanager
async def passage(layer: Layer, client: RecordingClient | None = None) -> AsyncIterator[Passage]:
    """Have an agent behind a layer, as a desk does for each start of an agent program; bounded in time.

    The layer is called as a desk calls it, and has as much time of its own: what fails there fails here.
    """
    client = client or RecordingClient()
    stop = Stop(layer, Failing("under test", "s"), OWN_S, _Strict())
    with anyio.fail_after(BOUND_S), unwrapped():
        async with anyio.create_task_group() as tasks:
            speaker = stop.client(client)
            echo = EchoAgent(speaker, tasks)
            yield Passage(stop.agent(echo), echo, client, speaker)
            tasks.cancel_scope.cancel()
