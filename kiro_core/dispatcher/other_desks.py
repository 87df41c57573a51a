"""The connections of one client to other desks: opened when first needed, in tasks that end with the client."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup

from kiro_core.control import HELLO_S, Reached, reach
from kiro_core.dispatcher.relaying import Relay
from kiro_core.errors import Disconnected, KiroError
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Client, Turn

_SEEN_S = 1.0


class OtherDesk:
    """One desk in another process, as one of our clients uses it."""

    def __init__(self, path: Path, client: Client, hello_s: float) -> None:
        """Reach nothing yet; `run` does, and it has `hello_s` seconds to introduce itself."""
        self.path = path
        self._hello_s = hello_s
        self.relay: Final = Relay(client)
        self._reached: Reached | None = None
        self._tried = anyio.Event()
        self._error: KiroError | None = None

    @property
    def gone(self) -> bool:
        """Whether there was a connection, or an attempt, that has ended."""
        return self._error is not None or (self._reached is not None and self._reached.ended.is_set())

    @property
    def hello(self) -> Mapping[str, Any]:
        """What it said of itself; nothing before it did."""
        return self._reached.hello if self._reached is not None else {}

    async def run(self) -> None:
        """Be connected until the other desk has ended, or this is cancelled."""
        try:
            async with reach(self.path, self.relay, hello_s=self._hello_s) as self._reached:
                self._tried.set()
                await self._reached.ended.wait()
        except KiroError as error:
            self._error = error
        finally:
            self._tried.set()

    async def reached(self) -> Reached:
        """Wait for the connection.

        Raises:
            Disconnected: there is none.

        """
        await self._tried.wait()
        if self._reached is None:
            raise self._error or Disconnected(f"No desk listens at {self.path}.")
        return self._reached

    async def agent(self) -> Agent:
        """What our client may ask there.

        Raises:
            Disconnected: there is no connection.

        """
        return (await self.reached()).agent

    async def ends(self) -> bool:
        """Whether it takes nothing new: its connection has ended, or it says that it drains."""
        reached = await self.reached()
        try:
            return self.gone or (await reached.status()).get("state") == "draining"
        except Disconnected:
            # A desk that takes no bytes any more is seen to have ended a moment later; one that is stuck is not.
            with anyio.move_on_after(_SEEN_S):
                await reached.ended.wait()
            return self.gone

    async def opened(self, frame: Frame, tasks: TaskGroup) -> Frame:
        """The answer to a request that opens a session; what follows it is shown in `tasks`, when it was written.

        Raises:
            Disconnected, KiroError: as the desk says.

        """
        held: list[str] = []

        def arrived(response: Frame) -> None:
            session = response.result.get("sessionId") or frame.session
            if not response.failed and isinstance(session, str):
                held.append(session)
                self.relay.hold(session)

        reached = await self.reached()
        try:
            return await reached.opened(frame, arrived)
        finally:
            for session in held:
                tasks.start_soon(self.relay.release, session)

    async def prompt(self, frame: Frame) -> Turn:
        """See `Agent.prompt`.

        Raises:
            Disconnected: the desk has ended, and this counts from now on.

        """
        try:
            return _Turn(await (await self.agent()).prompt(frame), self)
        except Disconnected as error:
            self._error = error
            raise


class OtherDesks:
    """Those that a client has reached, by the paths of their sockets."""

    def __init__(self, client: Client, tasks: TaskGroup) -> None:
        """Connect in `tasks`."""
        self._client = client
        self._tasks = tasks
        self._known: dict[Path, OtherDesk] = {}

    async def at(self, path: Path, *, hello_s: float = HELLO_S) -> OtherDesk:
        """The desk that listens there, which introduces itself within `hello_s` seconds.

        Raises:
            Disconnected: none does.

        """
        other = self._known.get(path)
        if other is None or other.gone:
            other = self._known[path] = OtherDesk(path, self._client, hello_s)
            self._tasks.start_soon(other.run)
        await other.reached()
        return other


class _Turn:
    """A turn in another desk."""

    def __init__(self, turn: Turn, desk: OtherDesk) -> None:
        self._turn = turn
        self._desk = desk

    async def settled(self) -> Frame:
        """See `Turn.settled`."""
        try:
            return await self._turn.settled()
        except Disconnected as error:
            raise Disconnected(
                f"The process that worked on the session has ended (pid {self._desk.hello.get('pid')}).",
                hint="The next prompt opens the session again, which tells what became of the turn.",
            ) from error

    async def cancel(self) -> None:
        """See `Turn.cancel`."""
        await self._turn.cancel()
