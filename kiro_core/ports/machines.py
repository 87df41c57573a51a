"""How an agent program is started, and how either side is spoken to."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

import anyio
from anyio.abc import TaskStatus

from kiro_core.ports.desk import Desk
from kiro_core.ports.talking import Agent, Client

if TYPE_CHECKING:
    from kiro_core.types import Command, Exit, Receipt


class Process(Protocol):
    """A running agent program: a byte stream with an identity."""

    @property
    def identity(self) -> str:
        """For people and receipts, such as `pid 4711`; not necessarily a pid."""
        ...

    @property
    def exit(self) -> Exit | None:
        """How it ended, or None while it runs."""
        ...

    async def wait(self) -> Exit:
        """Wait for its end."""
        ...

    def stderr_tail(self) -> str:
        """The last lines that it wrote to stderr, bounded."""
        ...

    async def receive(self, max_bytes: int = 65536) -> bytes:
        """Read from its stdout.

        Raises:
            anyio.EndOfStream: it closed its stdout.

        """
        ...

    async def send(self, item: bytes) -> None:
        """Write to its stdin, whole even when cancelled midway and followed by another send.

        Raises:
            anyio.BrokenResourceError: it closed its stdin.

        """
        ...

    async def send_eof(self) -> None:
        """Close its stdin: nothing more is sent; it may be closed already."""
        ...


class Launcher(Protocol):
    """How an agent program is started."""

    def launch(self, command: Command) -> AbstractAsyncContextManager[Process]:
        """Start it; leaving the block ends everything that it started, shielded and bounded.

        Raises on entering:
            LaunchFailed: the program is missing or cannot be executed, or the system has no room for it.

        Raises on leaving in order:
            EndingFailed: something of it survived being killed.
            LaunchFailed: as above, where that is learnt only by and by, as of a container or another machine.

        """
        ...

    async def sweep(self) -> Sequence[Receipt]:
        """End what a killed desk left behind, and tell what that was; a launch whose desk may live is not touched.

        Bounded, also when it is cancelled.
        """
        ...


class Wire(Protocol):
    """Their agent, here: the protocol spoken with a process."""

    def connect(self, process: Process, client: Client, timeout_s: float) -> AbstractAsyncContextManager[Agent]:
        """Introduce ourselves and yield the agent; leaving the block hangs up.

        When the agent hangs up, the block is cancelled and left: its lifetime is the wire's.

        Raises on entering:
            Disconnected: the process hung up before it answered.
            AgentTimeout: it did not answer within `timeout_s` seconds.
            RpcError: it answered with an error or with another protocol.

        """
        ...


class Face(Protocol):
    """Our desk, there: the protocol spoken with clients.

    One that takes the program's own stdin and stdout names in `instead_of_stdio` the option that gives it
    another place: in a served desk it needs that.
    """

    async def serve(self, desk: Desk, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:
        """Serve until the transport ends or this is cancelled.

        `task_status` is started when clients can come, with the place where they find it, a text, or None.

        Raises:
            KiroError: it cannot begin.

        """
        ...
