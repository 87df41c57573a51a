"""The turns of a session: they queue in order, outlive who asked, and each ends with a named outcome."""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import anyio
from anyio.abc import TaskGroup

from kiro_core.errors import Disconnected, KiroError, SessionBusy, SessionClosing
from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.ports import SessionDb, Turn
from kiro_core.rpc import failure

_CUT_OFF_S = 5.0


class PromptTurn:
    """One accepted prompt: `id` is unique in the session, `asked` the client's request."""

    def __init__(self, id: str, asked: Frame) -> None:  # noqa: A002 - the field's name
        """Begin as accepted."""
        self.id = id
        self.asked = asked
        self.cancelled = False
        self.dispatched = False
        self._done = anyio.Event()
        self._response = Frame.answer({})

    def settle(self, response: Frame) -> None:
        """Give the outcome, once."""
        self._response = response
        self._done.set()

    async def settled(self) -> Frame:
        """Wait for the outcome: the response to the prompt."""
        await self._done.wait()
        return self._response


class Engaged(Protocol):
    """What the turns need of their session."""

    db: SessionDb
    journal: Journal

    async def dispatch(self, turn: PromptTurn) -> Turn:
        """Hand a prompt to the agent."""
        ...

    async def outcome(self, turn: PromptTurn, asked: Turn) -> Frame:
        """Wait for the agent's answer, within the limits."""
        ...

    async def turn_ended(self) -> None:
        """Called after each turn."""
        ...


class Turns:
    """The queue: a turn is a child task of the session, so cancel and lifecycle commands never wait for it."""

    def __init__(self, tasks: TaskGroup, session: Engaged, ending: Callable[[], Awaitable[Frame]], limit: int) -> None:
        """Run turns in `tasks`, at most `limit` waiting; `ending` gives the outcome of those cut off."""
        self._tasks = tasks
        self._session = session
        self._ending = ending
        self._limit = limit
        self._count = 0
        self._queue: deque[PromptTurn] = deque()
        self._busy = False
        self._closed = False
        self._ended = False
        self._idle = anyio.Event()

    @property
    def running(self) -> PromptTurn | None:
        """The turn that has its turn, if any."""
        return self._queue[0] if self._busy and self._queue else None

    async def prompt(self, frame: Frame) -> PromptTurn:
        """Accept a prompt; its place in the queue is taken before the first wait.

        Raises:
            SessionBusy: as many prompts wait as the settings allow.
            SessionClosing: the session is being ended.
            Unavailable, Fenced: the prompt could not be recorded, so it was not accepted.

        """
        if self._closed:
            raise SessionClosing("The session is being closed.", hint="Open it again to go on.")
        if len(self._queue) > self._limit:
            raise SessionBusy(
                f"The session has {self._limit} prompts waiting already.", hint="Wait for a turn to end, or cancel."
            )
        self._count += 1
        turn = PromptTurn(f"{self._session.db.epoch}.{self._count}", frame)
        self._queue.append(turn)
        try:
            await self._session.journal.message("prompt", frame, turn.id)
        except BaseException:
            self._queue.remove(turn)
            raise
        if self._ended:
            await self._cut_off()
        elif not self._busy:
            self._busy = True
            self._idle = anyio.Event()
            self._tasks.start_soon(self._run)
        return turn

    def end(self) -> None:
        """Take no more prompts: the tasks in which turns run are ending."""
        self._closed = self._ended = True

    def cancel(self) -> PromptTurn | None:
        """Mark every accepted turn as cancelled; return the one that the agent works on."""
        for turn in self._queue:
            turn.cancelled = True
        running = self.running
        return running if running is not None and running.dispatched else None

    async def close(self, cancel: Callable[[], Awaitable[None]], grace_s: float) -> None:
        """Take no more prompts, cancel, and give the running turn `grace_s` seconds to end."""
        self._closed = True
        if self._busy:
            await cancel()
            with anyio.move_on_after(grace_s):
                await self._idle.wait()

    async def _run(self) -> None:
        try:
            while self._queue:
                await self._one(self._queue[0])
                await self._session.turn_ended()
        finally:
            self._busy = False
            self._idle.set()
            if self._queue:
                with anyio.move_on_after(_CUT_OFF_S, shield=True):
                    await self._cut_off()

    async def _cut_off(self) -> None:
        response = await self._ending()
        while self._queue:
            await self._settle(self._queue[0], response)

    async def _one(self, turn: PromptTurn) -> None:
        try:
            if turn.cancelled:
                response = cancelled()
            else:
                await self._session.journal.event("turn_begun", {}, turn.id)
                response = await self._session.outcome(turn, await self._session.dispatch(turn))
        except Disconnected:
            response = await self._ending()
        except KiroError as error:
            response = failure(error)
        await self._settle(turn, response)

    async def _settle(self, turn: PromptTurn, response: Frame) -> None:
        # Shielded, and out of the queue first: nobody may record a second outcome.
        self._queue.remove(turn)
        with anyio.CancelScope(shield=True):
            try:
                await self._session.journal.settled("turn_ended", _outcome(response), turn.id)
            except KiroError as error:
                response = failure(error)
            turn.settle(response)


def cancelled() -> Frame:
    """The response to a prompt that was cancelled (ACP "Cancellation")."""
    return Frame.answer({"stopReason": "cancelled"})


def _outcome(response: Frame) -> dict[str, Any]:
    if response.failed:
        return {"error": response.error}
    return {key: value for key, value in response.result.items() if key in ("stopReason", "usage")}
