"""What the contract of faces needs of a client, and the client that a wire of the same protocol is."""

from __future__ import annotations

import os
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Protocol

from kiro_core import PipeStream, messages
from kiro_core.ports import Agent, Wire
from kiro_core.rpc import result
from kiro_core.testing.client import RecordingClient
from kiro_core.testing.face_samples import BOUND_S, Serving
from kiro_core.testing.loopback import StandInProcess


class FaceClient(Protocol):
    """A client of the face's protocol, as far as the contract needs one; what it is refused it raises, in words."""

    async def new(self, cwd: Path) -> str:
        """Begin a session: its id."""
        ...

    async def prompt(self, session: str, text: str) -> str:
        """Have a turn: all that the agent said in it; of a question, the first option is chosen."""
        ...

    async def prompt_and_cancel(self, session: str, text: str) -> str:
        """Begin a turn, cancel it once the agent has said something, and wait for its end: its stop reason."""
        ...


Connect = Callable[[Serving], AbstractAsyncContextManager[FaceClient]]
"""`connect(serving)`: a client at its place, or, where that is None, at its stdin and stdout."""


class WireClient:
    """Implements `FaceClient` over a wire."""

    def __init__(self, agent: Agent, client: RecordingClient) -> None:
        """Ask an agent; `client` is what it was connected with."""
        self._agent = agent
        self._client = client

    async def new(self, cwd: Path) -> str:
        """See `FaceClient.new`."""
        answer = await self._agent.new(messages.new_session(cwd))
        return str(result(answer, "No session")["sessionId"])

    async def prompt(self, session: str, text: str) -> str:
        """See `FaceClient.prompt`."""
        before = len(self._client.text(session))
        turn = await self._agent.prompt(messages.prompt(session, text))
        result(await turn.settled(), "No turn")
        return self._client.text(session)[before:]

    async def prompt_and_cancel(self, session: str, text: str) -> str:
        """See `FaceClient.prompt_and_cancel`."""
        before = len(self._client.text(session))
        turn = await self._agent.prompt(messages.prompt(session, text))
        await self._client.until(lambda client: len(client.text(session)) > before)
        await self._agent.cancel(messages.cancel(session))
        return str(result(await turn.settled(), "No turn")["stopReason"])


@asynccontextmanager
async def through(wire: Wire, serving: Serving) -> AsyncIterator[FaceClient]:
    """A client that speaks the same protocol as a wire, at the face's socket or its stdin and stdout."""
    client = RecordingClient()
    async with AsyncExitStack() as stack:
        stream: Serving | PipeStream = serving
        if serving.place is not None:
            stream = _at_socket(serving.place)
            stack.push_async_callback(stream.aclose)
        async with wire.connect(StandInProcess(stream), client, BOUND_S) as agent:
            yield WireClient(agent, client)


def _at_socket(place: str) -> PipeStream:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(place)
        return PipeStream(os.dup(connection.fileno()), os.dup(connection.fileno()))
