"""Both directions of the protocol: towards agent programs it is a wire, and towards clients a face."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskStatus
from kiro_core import Frame, PipeStream, serve_at
from kiro_core.errors import AgentTimeout, KiroError, SettingsError, unwrapped
from kiro_core.ports import Agent, Attachable, Client, Process
from kiro_core.rpc import RemoteAgent, answer, result, told
from kiro_core.types import PeerInfo

from .talk import Talk


class LengthTransport:
    """Implements `Wire` and `Face`."""

    def __init__(self, place: Path | None) -> None:
        """Serve clients at a socket there."""
        self._place = place

    @asynccontextmanager
    async def connect(self, process: Process, client: Client, timeout_s: float) -> AsyncIterator[Agent]:
        """See `Wire.connect`."""

        async def notify(frame: Frame) -> None:
            await client.notify([frame])

        talk = Talk(process, client.request, notify)
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(talk.run)
                info = await _introduced(talk, timeout_s)
                tasks.start_soon(self._end_with, talk, tasks.cancel_scope)
                yield RemoteAgent(talk, info)
                tasks.cancel_scope.cancel()

    async def serve(self, desk: Attachable, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:
        """See `Face.serve`."""
        if self._place is None:
            raise SettingsError("The transport has no place for clients.", hint="Give it the option `socket`.")
        await serve_at(str(self._place), partial(self.converse, desk=desk), task_status=task_status)

    async def converse(self, stream: PipeStream, desk: Attachable) -> None:
        """Serve one client until it hangs up, and close its stream.

        A desk that cannot be had refuses whatever the client asks.
        """
        client = _RemoteClient()
        try:
            async with desk.attach(client) as agent:
                client.talk = Talk(stream, partial(_answered, agent, client), partial(told, agent))
                await client.talk.run()
        except KiroError as error:
            await Talk(stream, partial(_refused, error), _dropped).run()
        finally:
            await stream.aclose()

    async def _end_with(self, talk: Talk, block: anyio.CancelScope) -> None:
        await talk.ended.wait()
        block.cancel()


async def _introduced(talk: Talk, timeout_s: float) -> PeerInfo:
    with anyio.move_on_after(timeout_s):
        said = result(await talk.call(Frame.of("hello", {}, id=0)), "The agent refused hello")
        return PeerInfo(str(said.get("name", "")), abilities=frozenset(said.get("abilities", ())))
    raise AgentTimeout(f"The agent did not answer within {timeout_s:g} s.", hint="See whether it speaks this protocol.")


class _RemoteClient:
    """Implements `Client` for who is at the other end."""

    def __init__(self) -> None:
        self.info = PeerInfo()
        self.talk: Talk

    async def notify(self, frames: Sequence[Frame]) -> None:
        await self.talk.send(frames)

    async def request(self, frame: Frame) -> Frame:
        return await self.talk.call(frame)


async def _answered(agent: Agent, client: _RemoteClient, frame: Frame) -> Frame:
    if frame.method == "hello":
        return Frame.answer({"name": agent.info.name, "abilities": sorted(agent.info.abilities)})
    return await answer(agent, frame, client.talk.ended)


async def _refused(error: KiroError, _: Frame) -> Frame:
    raise error


async def _dropped(_: Frame) -> None:
    """Nobody is there who could be told."""
