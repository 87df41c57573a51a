"""A chat from its opening to its end: lines in, turns out."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import anyio
from anyio.abc import TaskGroup
from anyio.streams.memory import MemoryObjectReceiveStream

from kiro_core.cli.chat.current import Current
from kiro_core.cli.chat.keyboard import read_ahead
from kiro_core.cli.chat.leaving import Leaving
from kiro_core.cli.chat.orders import OURS, Orders
from kiro_core.cli.chat.screen import Screen
from kiro_core.cli.chat.told import Told
from kiro_core.cli.engine_question import settle_engine
from kiro_core.cli.failing import CANCELLED, DENIED, FAILED
from kiro_core.cli.finding import find_wanted
from kiro_core.cli.options import Given
from kiro_core.cli.trust_question import ensure_trust
from kiro_core.cli.wanted import Wanted
from kiro_core.errors import KiroError, SessionBusy
from kiro_core.ports import Desk, Turn
from kiro_core.rpc import result

_TYPED_AHEAD = 100


class Chat:
    """One person's chat; what runs beside it runs in `tasks`."""

    def __init__(self, screen: Screen, current: Current, leaving: Leaving, tasks: TaskGroup) -> None:
        """Begin with `run`."""
        self._screen = screen
        self._current = current
        self._leaving = leaving
        self._tasks = tasks
        self._turns = 0

    async def run(self, given: Given, wanted: Wanted) -> None:
        """Open a desk and the session that is wanted, and talk until the input ends.

        Raises:
            KiroError: the session could not be opened.

        """
        # The lines come first: who is asked something meanwhile answers where they type.
        async with aclosing(self._typed_ahead() if self._screen.live else self._screen.lines()) as lines:
            settings, registry = given.load()
            engine = wanted.engine
            if wanted.is_new and not engine:
                engine = await settle_engine(settings, given.config, self._screen.person)
            refused = await ensure_trust(settings, registry, wanted, self._screen.person)
            self._current.client.untrusting = refused
            async with (
                given.desk((settings, registry), "chat", agent=wanted.agent, engine=engine) as desk,
                desk.attach(self._current.client) as self._current.agent,
            ):
                await self._begin(desk, wanted)
                await self._talk(lines, Orders(desk, self._current, self._screen))

    async def _begin(self, desk: Desk, wanted: Wanted) -> None:
        recorded = await find_wanted(desk, wanted)
        called = wanted.engine or (recorded.engine if recorded else "") or "the agent"
        async with self._screen.waiting(f"starting {called}"):
            replay = self._screen.person is not None
            await self._current.open(wanted.opening(recorded, replay=replay))
        if self._screen.person is not None:
            await self._note(f"{self._current}. /help lists the commands.")

    async def _talk(self, lines: AsyncIterator[str], orders: Orders) -> None:
        async for line in lines:
            command, _, rest = line.strip().partition(" ")
            if command == "/quit":
                return
            try:
                if command in OURS:
                    await self._obey(orders, command, rest.strip())
                else:
                    await self._say(line.removeprefix("/") if line.startswith("//") else line)
            except KiroError as error:
                await self._failed(error)

    def _typed_ahead(self) -> MemoryObjectReceiveStream[str]:
        """The lines of a person who may type while something runs."""
        post, mailbox = anyio.create_memory_object_stream[str](_TYPED_AHEAD)
        self._tasks.start_soon(read_ahead, self._screen, self._leaving, post)
        return mailbox

    async def _obey(self, orders: Orders, command: str, rest: str) -> None:
        if rest and self._turns:
            raise SessionBusy("A turn runs.", hint="Wait for its end, or cancel it: /cancel.")
        with anyio.CancelScope() as scope, self._leaving.running(scope.cancel):
            await orders.obey(command, rest)
        if scope.cancelled_caught:
            await self._note("Cancelled.")

    async def _say(self, text: str) -> None:
        turn = await self._current.prompt(text)
        self._turns += 1
        if self._screen.live:
            self._tasks.start_soon(self._settle, turn)
        else:
            await self._settle(turn)

    async def _settle(self, turn: Turn) -> None:
        try:
            with self._leaving.running(self._cancel):
                response = await self._current.settled(turn)
            reason = result(response, "The turn failed").get("stopReason")
        except KiroError as error:
            await self._screen.end()
            await self._failed(error)
            return
        finally:
            self._turns -= 1
        await self._screen.end()
        if reason != "end_turn":
            await self._note(f"turn: {reason}")
        if reason == "refusal" or self._current.client.denied:
            self._went_wrong(DENIED)
        elif reason == "cancelled":
            self._went_wrong(CANCELLED)

    def _cancel(self) -> None:
        self._tasks.start_soon(self._current.cancel)

    async def _failed(self, error: KiroError) -> None:
        await self._screen.show(Told("failure", f"kiro-core: {error}"))
        if error.hint:
            await self._note(error.hint)
        self._went_wrong(FAILED)

    def _went_wrong(self, code: int) -> None:
        """Let a script know of the first turn that did not go through; a person has seen it."""
        if self._screen.person is None:
            self._leaving.code = self._leaving.code or code

    async def _note(self, text: str) -> None:
        await self._screen.show(Told("note", text))
