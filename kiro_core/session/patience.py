"""How long a turn may take: for ever while it is heard, but silence is told and a cancel is final."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import anyio

from kiro_core.errors import unwrapped
from kiro_core.frames import Frame
from kiro_core.session.listening import Listener
from kiro_core.session.plan import Tools
from kiro_core.session.questions import Questions
from kiro_core.session.services import Services
from kiro_core.session.turn import PromptTurn, cancelled
from kiro_core.types import Notice


class Waiting(Protocol):
    """What the patience needs of its session."""

    tools: Tools
    questions: Questions
    services: Services
    listener: Listener

    async def tell(self, notice: Notice) -> None:
        """Tell the client."""
        ...


class _Exchange:
    """The turn with the agent in a task of its own, so that a cancel finds it wherever it waits."""

    def __init__(self, have: Callable[[], Awaitable[Frame]]) -> None:
        self._have = have
        self._arrived = anyio.Event()
        self._response: Frame | None = None
        self._error: Exception | None = None

    async def run(self) -> None:
        try:
            self._response = await self._have()
        except Exception as error:  # noqa: BLE001 - raised where the outcome is waited for
            self._error = error
        self._arrived.set()

    def give_up(self, error: Exception) -> None:
        self._error = error
        self._arrived.set()

    async def arrived(self) -> Frame:
        await self._arrived.wait()
        if self._response is None:
            raise self._error or RuntimeError("The exchange has no outcome.")
        return self._response


class Patience:
    """Waits for the outcome of a turn, one at a time."""

    def __init__(self, session: Waiting) -> None:
        """Tell of silence after `limits.silence_s`; give up `limits.control_s` after a cancel."""
        self._session = session
        self._limits = session.tools.limits
        self._heard_at = 0.0
        self._waiting: anyio.CancelScope | None = None
        self._exchange: _Exchange | None = None

    def heard(self) -> None:
        """Take note that the agent gave a sign of life; cheap enough for every chunk."""
        self._heard_at = anyio.current_time()

    def look_again(self, turn: PromptTurn) -> None:
        """Let a waiting `outcome` see that its turn was cancelled or has failed; who failed waits for no agent."""
        if turn.failure is not None and self._exchange is not None:
            self._exchange.give_up(turn.failure)
        if self._waiting is not None:
            self._waiting.cancel()

    async def outcome(self, turn: PromptTurn, have: Callable[[], Awaitable[Frame]]) -> Frame:
        """Have the turn, and wait for its outcome.

        Raises:
            KiroError: the turn has failed.

        """
        if turn.failure is not None:
            raise turn.failure
        exchange = self._exchange = _Exchange(have)
        with unwrapped():
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(exchange.run)
                response = await self._response(turn, exchange)
                tasks.cancel_scope.cancel()
        return response

    async def _response(self, turn: PromptTurn, exchange: _Exchange) -> Frame:
        self.heard()
        while not turn.cancelled:
            with anyio.move_on_after(self._patience_s) as self._waiting:
                return await exchange.arrived()
            if self._patience_s <= 0:
                await self._silence(turn)
        with anyio.move_on_after(self._limits.control_s):
            return await exchange.arrived()
        sentence = f"The agent did not confirm the cancel within {self._limits.control_s:g} s; it may still be at work."
        await self._session.tell(Notice("cancel_unconfirmed", sentence))
        return cancelled()

    @property
    def _patience_s(self) -> float:
        """How long the agent may be silent from now on."""
        return self._heard_at + self._limits.silence_s - anyio.current_time()

    async def _silence(self, turn: PromptTurn) -> None:
        self.heard()
        session = self._session
        if session.questions.any_open or session.services.busy or session.listener.asking:
            return  # a person is silent, or we are, not the agent
        ends = self._limits.end_silent_turns
        what = "the turn is cancelled" if ends else "the turn goes on until it is cancelled"
        sentence = f"The agent has not been heard for {self._limits.silence_s:g} s; {what}."
        await self._session.tell(Notice("silence", sentence))
        if ends:
            await turn.cancel()
