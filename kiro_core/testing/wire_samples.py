"""Messages for tests of wires, a client that does not listen, and a connection whose far end is an `EchoAgent`."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import anyio

from kiro_core import PipeStream, messages
from kiro_core.errors import unwrapped
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Attachable, Client, Turn, Wire
from kiro_core.testing.client import RecordingClient
from kiro_core.testing.echo import EchoAgent, EchoDesk
from kiro_core.testing.loopback import StandInProcess, loopback

BOUND_S = 30
_IDLE = 50

VALUES = (
    '{"unknown":{"field":[1,null,true]},"_meta":{"a.b/c":"d"}}',
    '{"large":1180591620717411303424,"exact":0.1000000000000000055511151231257827,"small":-1.5e-300}',
    '{"text":"gr\\u00fc\\u00dfe \\ud83d\\ude00 \U0001f600 \u2028 \\u0000 \\" \\\\ \\/ \x7f"}',
    '{"":"","deep":[[[[[[[[[[{}]]]]]]]]]],"blanks" :  [ 1 , 2 ]}',
)
"""JSON objects that are not in any protocol, as text."""

Serve = Callable[[PipeStream, Attachable], Coroutine[Any, Any, None]]
"""Serves a desk to whoever is at the other end of a stream, in the protocol of the wire, until that one hangs up."""


def exact(text: bytes | None) -> Any:
    """A JSON text as values that tell every number from every other."""
    return json.loads(text or b"null", parse_float=Decimal)


async def spoken(client: RecordingClient, session: str) -> None:
    """Wait until the agent has said something in a session."""
    await client.until(lambda seen: bool(seen.text(session)))


class DeafClient(RecordingClient):
    """A client that takes nothing until it is told to `listen`."""

    def __init__(self) -> None:
        """Be deaf."""
        super().__init__()
        self._listening = anyio.Event()

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Take a batch, late."""
        await self._listening.wait()
        await super().notify(frames)

    def listen(self) -> None:
        """Take what was sent and what comes."""
        self._listening.set()


@dataclass(frozen=True, slots=True)
class Line:
    """A connection: `agent` is what the wire gave, `process` and `theirs` its two ends."""

    agent: Agent
    desk: EchoDesk
    process: StandInProcess
    theirs: PipeStream

    @property
    def echo(self) -> EchoAgent:
        """The agent at the far end."""
        return self.desk.agents[0]

    async def begin(self, session: str, text: str) -> Turn:
        """Send a prompt."""
        return await self.agent.prompt(messages.prompt(session, text))

    async def turn(self, session: str, text: str) -> Frame:
        """Have a turn: its outcome."""
        return await (await self.begin(session, text)).settled()

    async def stalled(self, session: str) -> None:
        """Wait until a turn makes no more progress, for as long as everybody else has nothing to do."""
        idle, said = 0, -1
        while idle < _IDLE:
            await anyio.wait_all_tasks_blocked()
            turn = self.echo.turns.get(session) if self.desk.agents else None
            now = turn.said if turn else -1
            idle, said = (idle + 1 if now == said and turn else 0), now

    async def hang_up(self) -> None:
        """Let the agent program end."""
        await self.theirs.aclose()
        self.process.end()


Connected = Callable[..., AbstractAsyncContextManager[Line]]
"""`connected(client, bite=65536)`: the wire under test, with a far end; bounded in time."""


@asynccontextmanager
async def connected(wire: Wire, serve: Serve, client: Client, bite: int = 65536) -> AsyncIterator[Line]:
    """Connect the wire to a stand-in process; `serve` has its other end."""
    desk = EchoDesk()
    with anyio.fail_after(BOUND_S), unwrapped():
        async with loopback() as (ours, theirs), anyio.create_task_group() as tasks:
            process = StandInProcess(ours, bite=bite)
            tasks.start_soon(serve, theirs, desk)
            async with wire.connect(process, client, BOUND_S) as agent:
                yield Line(agent, desk, process, theirs)
            tasks.cancel_scope.cancel()
