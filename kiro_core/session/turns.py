"""The turns of a session: they queue in order, outlive who asked, and each ends with one named outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import anyio
from anyio.abc import TaskGroup

from kiro_core.errors import Disconnected, KiroError, SessionBusy, SessionClosing, Unavailable
from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.lazily import LazyEvent, LazyLock
from kiro_core.ports import SessionDb
from kiro_core.rpc import failure
from kiro_core.session.clients import Said
from kiro_core.session.turn import PromptTurn, cancelled, ended

_STORE_S = 5.0


class Engaged(Protocol):
    """What the turns need of their session."""

    db: SessionDb
    journal: Journal

    async def outcome(self, turn: PromptTurn) -> Frame:
        """Have the turn with the agent, within the limits."""
        ...

    def stop(self, turn: PromptTurn) -> None:
        """Make a running turn that was cancelled or has failed end."""
        ...

    async def wants_waiting(self, waiting: Sequence[PromptTurn]) -> bool | None:
        """Whether prompts of an earlier life of the session are to be sent; None leaves them waiting."""
        ...

    async def turn_ended(self) -> None:
        """Called after each turn."""
        ...


class Turns:
    """The queue: a turn is a child task of the session, so cancel and lifecycle commands never wait for it."""

    def __init__(self, tasks: TaskGroup, session: Engaged, ending: Callable[[], Awaitable[Frame]], limit: int) -> None:
        """Run turns in `tasks`, at most `limit` waiting; `ending` gives the outcome of those cut off.

        `waiting` are prompts that an earlier life of the session accepted and never sent.
        """
        self.tasks = tasks
        self.waiting: list[PromptTurn] = []
        self.ended: bool = False
        self._session = session
        self._ending = ending
        self._limit = limit
        self._count = 0
        self._queue: deque[PromptTurn] = deque()
        self._settling: PromptTurn | None = None
        self._busy = False
        self._closed = False
        self._between = LazyLock()
        self._idle = LazyEvent()

    @property
    def count(self) -> int:
        """How many prompts were accepted."""
        return self._count

    @property
    def open(self) -> list[str]:
        """The ids of all turns that were accepted and have no end."""
        return [turn.id for turn in (*self.waiting, *self._queue)]

    @property
    def running(self) -> PromptTurn | None:
        """The turn that has its turn, if any."""
        return self._queue[0] if self._busy and self._queue else None

    async def prompt(self, frame: Frame, wrote: set[str]) -> PromptTurn:
        """Accept a prompt; its place in the queue is taken before the first wait, and its turn noted in `wrote`.

        Raises:
            SessionBusy: as many prompts wait as the settings allow.
            SessionClosing: the session is being ended.
            Unavailable, Fenced, MiddlewareFailed: the prompt could not be recorded, so it was not accepted.

        """
        if self._closed:
            raise SessionClosing("The session is being closed.", hint="Open it again to go on.")
        if sum(not turn.cancelled for turn in self._queue) > self._limit:
            raise SessionBusy(
                f"The session has {self._limit} prompts waiting already.", hint="Wait for a turn to end, or cancel."
            )
        shown = self._session.journal.filtered_frame(frame)
        self._count += 1
        turn = PromptTurn(f"{self._session.db.epoch}.{self._count}", frame, shown, self.take_back)
        self._queue.append(turn)
        wrote.add(turn.id)
        await self._accept(turn)
        if self.ended:
            await self._cut_off()
        else:
            self._begin()
        return turn

    @asynccontextmanager
    async def between(self) -> AsyncIterator[None]:
        """Enter when the turn that runs has ended, before those that wait; none begins until the block is left."""
        async with self._between:
            yield

    def wait_again(self, id: str, frame: Frame) -> None:  # noqa: A002 - its id
        """Keep a prompt that an earlier life of the session accepted and never sent."""
        self.waiting.append(PromptTurn(id, frame, frame, self.take_back))

    def send_waiting(self) -> None:
        """Have the turns of the prompts that wait, before any other; nobody waits for their outcome."""
        self._queue.extendleft(reversed(self.waiting))
        self.waiting.clear()
        if self._queue:
            self._begin()

    def end(self) -> None:
        """Take no more prompts: the tasks in which turns run are ending."""
        self._closed = self.ended = True

    def cancel(self) -> None:
        """Cancel every accepted turn."""
        for turn in tuple(self._queue):
            self.take_back(turn)

    def fail(self, error: KiroError) -> bool:
        """Answer every accepted turn with an error, without waiting for anybody; whether somebody is answered."""
        for turn in self._queue:
            turn.failure = turn.failure or error
        if self.running is not None:
            self._session.stop(self.running)
        return bool(self._queue) or self._settling is not None

    def take_back(self, turn: PromptTurn) -> None:
        """Cancel one turn: it ends where it runs, and is not begun where it waits."""
        turn.cancelled = True
        if turn is self.running:
            self._session.stop(turn)

    async def finish(self) -> None:
        """Take no more prompts, cancel those that wait, and wait until the running turn has ended by itself."""
        self._closed = True
        for turn in tuple(self._queue):
            if turn is not self.running:
                self.take_back(turn)
        if self._busy:
            await self._idle.wait()

    async def close(self, grace_s: float) -> None:
        """Take no more prompts, cancel, and give the running turn `grace_s` seconds to end."""
        self._closed = True
        if self._busy:
            self.cancel()
            with anyio.move_on_after(grace_s):
                await self._idle.wait()

    async def _accept(self, turn: PromptTurn) -> None:
        try:
            await self._session.journal.message("prompt", turn.shown, turn.id)
        except BaseException as error:
            # The store may have it all the same; then its outcome has to be there too.
            if turn in self._queue:
                self._queue.remove(turn)
                self._session.journal.later("turn_ended", ended(_refused(error), self.open, accepted=False), turn.id)
            raise

    def _begin(self) -> None:
        if not self._busy:
            self._busy = True
            self._idle = LazyEvent()
            self.tasks.start_soon(self._run)

    async def _run(self) -> None:
        try:
            while self._queue:
                async with self.between():
                    if self.waiting and self._queue and not self._queue[0].cancelled:
                        await self._decide()
                    if self._queue:
                        await self._one(self._queue[0])
                await self._session.turn_ended()
        finally:
            self._busy = False
            self._idle.set()
            if self._queue:
                with anyio.move_on_after(_STORE_S, shield=True):
                    await self._cut_off()

    async def _cut_off(self) -> None:
        response = await self._ending()
        while self._queue:
            await self._settle(self._queue[0], response)

    async def _decide(self) -> None:
        wanted = await self._session.wants_waiting(self.waiting)
        if wanted:
            self.send_waiting()
        elif wanted is not None:
            while self.waiting:
                await self._settle(self.waiting[0], cancelled())

    async def _one(self, turn: PromptTurn) -> None:
        try:
            response = cancelled()
            if not turn.cancelled and turn.failure is None:
                response = await self._session.outcome(turn)
        except Disconnected:
            response = await self._ending()
        except KiroError as error:
            response = failure(error)
        await self._settle(turn, response)

    async def _settle(self, turn: PromptTurn, response: Frame) -> None:
        # Out of the queue first: nobody may record a second outcome.
        (self.waiting if turn in self.waiting else self._queue).remove(turn)
        if turn.failure is not None:
            # The store has just failed: its outcome is recorded with whatever is written next.
            response = failure(turn.failure)
            said = () if turn.begun else (Said(turn.id, turn.shown),)
            self._session.journal.later("turn_ended", ended(response, self.open), turn.id, said)
            turn.settle(response)
            return
        outcome = ended(response, self.open)
        recorded: Frame | None = None
        self._settling = turn
        try:
            with anyio.move_on_after(_STORE_S, shield=True):
                try:
                    said = () if turn.begun else (Said(turn.id, turn.shown),)
                    await self._session.journal.settled("turn_ended", outcome, turn.id, said)
                    recorded = response
                except KiroError as error:
                    recorded = failure(error)
        finally:
            self._settling = None
            turn.settle(recorded or failure(Unavailable(f"The store did not take the outcome within {_STORE_S:g} s.")))


def _refused(error: BaseException) -> Frame:
    return failure(error) if isinstance(error, KiroError) else cancelled()
