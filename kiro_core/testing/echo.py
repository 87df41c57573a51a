"""An agent and a desk without a process behind them: what they are asked to do stands in the prompt."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup

from kiro_core.errors import unwrapped
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Client
from kiro_core.rpc import METHOD_NOT_FOUND
from kiro_core.testing.echo_turn import EchoTurn
from kiro_core.types import PeerInfo

ECHO = "_echo"
"""The request that is answered with its own params, byte for byte."""

WAIT = "_wait"
"""The request that is never answered."""


class EchoAgent:
    """Implements `Agent`: says what it is prompted; keeps `frames` that it was sent and each session's last of `turns`.

    A prompt may also be `/updates N` (as many chunks, numbered), `/flood N` (as many of 64 KiB), `/raw JSON` (that as
    an update), `/ask` (a question; says what was chosen), `/wait` (until it is cancelled), `/refuse` (an error) or
    `/echo TEXT`, as of the rehearsal agent.
    """

    def __init__(self, client: Client, tasks: TaskGroup) -> None:
        """Speak to a client; turns run in `tasks`."""
        self.info: Final = PeerInfo("echo", abilities=frozenset({"load", "resume", "list", "close", "delete"}))
        self.frames: list[Frame] = []
        self._client = client
        self._tasks = tasks
        self.turns: dict[str, EchoTurn] = {}
        self._numbers = itertools.count(1)

    async def new(self, frame: Frame) -> Frame:
        """See `Agent.new`."""
        self.frames.append(frame)
        return Frame.answer({"sessionId": f"echo-{next(self._numbers)}"})

    async def open(self, frame: Frame, *, replay: bool) -> Frame:  # noqa: ARG002 - the port's
        """See `Agent.open`."""
        return self._done(frame)

    async def prompt(self, frame: Frame) -> EchoTurn:
        """See `Agent.prompt`."""
        self.frames.append(frame)
        session = frame.session or ""
        turn = self.turns[session] = EchoTurn(self._client, session)
        blocks = frame.params["prompt"]
        self._tasks.start_soon(turn.run, "".join(block.get("text", "") for block in blocks))
        return turn

    async def cancel(self, frame: Frame) -> None:
        """See `Agent.cancel`."""
        self.frames.append(frame)
        if turn := self.turns.get(frame.session or ""):
            await turn.cancel()

    async def close(self, frame: Frame) -> Frame:
        """See `Agent.close`."""
        return self._done(frame)

    async def delete(self, frame: Frame) -> Frame:
        """See `Agent.delete`."""
        return self._done(frame)

    async def authenticate(self, frame: Frame) -> Frame:
        """See `Agent.authenticate`."""
        return self._done(frame)

    async def logout(self, frame: Frame) -> Frame:
        """See `Agent.logout`."""
        return self._done(frame)

    async def list(self, frame: Frame) -> Frame:
        """See `Agent.list`."""
        self.frames.append(frame)
        return Frame.answer({"sessions": []})

    async def call(self, frame: Frame) -> Frame:
        """See `Agent.call`: `_echo` and `_wait` are known."""
        self.frames.append(frame)
        if frame.method == WAIT:
            await anyio.sleep_forever()
        if frame.method == ECHO:
            return Frame.read(b'{"jsonrpc":"2.0","id":null,"result":%b}' % (frame.text_at("params") or b"{}"))
        return Frame.failure(METHOD_NOT_FOUND, f"There is no {frame.method}.")

    async def notify(self, frame: Frame) -> None:
        """See `Agent.notify`."""
        self.frames.append(frame)

    def _done(self, frame: Frame) -> Frame:
        self.frames.append(frame)
        return Frame.answer({})


class EchoDesk:
    """Implements `Attachable`: gives each client an `EchoAgent`, which is in `agents` while the client is there."""

    def __init__(self) -> None:
        """Begin with no client."""
        self.agents: list[EchoAgent] = []

    @asynccontextmanager
    async def attach(self, client: Client) -> AsyncIterator[Agent]:
        """See `Attachable.attach`."""
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                agent = EchoAgent(client, tasks)
                self.agents.append(agent)
                try:
                    yield agent
                finally:
                    self.agents.remove(agent)
                    tasks.cancel_scope.cancel()

    def logins(self, client: PeerInfo) -> Sequence[Mapping[str, Any]]:  # noqa: ARG002 - the port's
        """See `Attachable.logins`: there are none."""
        return ()

    def not_ready(self) -> str:
        """See `Attachable.not_ready`: it always is."""
        return ""
