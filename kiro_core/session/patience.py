"""How long a turn may take: for ever while it is heard, but silence is told and a cancel is final."""

from __future__ import annotations

from typing import Protocol

import anyio

from kiro_core.frames import Frame
from kiro_core.ports import Turn
from kiro_core.session.plan import Tools
from kiro_core.session.questions import Questions
from kiro_core.session.turns import PromptTurn, cancelled
from kiro_core.types import Notice


class Waiting(Protocol):
    """What the patience needs of its session."""

    tools: Tools
    questions: Questions

    async def tell(self, notice: Notice) -> None:
        """Tell the client."""
        ...

    async def cancel(self) -> None:
        """Cancel the session's turns."""
        ...


class Patience:
    """Waits for the outcome of a turn, one at a time."""

    def __init__(self, session: Waiting) -> None:
        """Tell of silence after `limits.silence_s`; give up `limits.control_s` after a cancel."""
        self._session = session
        self._limits = session.tools.limits
        self._heard_at = 0.0
        self._waiting: anyio.CancelScope | None = None

    def heard(self) -> None:
        """Take note that the agent gave a sign of life; cheap enough for every chunk."""
        self._heard_at = anyio.current_time()

    def look_again(self) -> None:
        """Let a waiting `outcome` see that its turn was cancelled."""
        if self._waiting is not None:
            self._waiting.cancel()

    async def outcome(self, turn: PromptTurn, asked: Turn) -> Frame:
        """Wait for the agent's answer."""
        self.heard()
        while not turn.cancelled:
            with anyio.CancelScope(deadline=self._heard_at + self._limits.silence_s) as self._waiting:
                return await asked.settled()
            if anyio.current_time() >= self._heard_at + self._limits.silence_s:
                await self._silence()
        with anyio.move_on_after(self._limits.control_s):
            return await asked.settled()
        sentence = f"The agent did not confirm the cancel within {self._limits.control_s:g} s; it may still be at work."
        await self._session.tell(Notice("cancel_unconfirmed", sentence))
        return cancelled()

    async def _silence(self) -> None:
        self.heard()
        if self._session.questions.any_open:
            return  # a person is silent, not the agent
        ends = self._limits.end_silent_turns
        what = "the turn is cancelled" if ends else "the turn goes on until it is cancelled"
        sentence = f"The agent has not been heard for {self._limits.silence_s:g} s; {what}."
        await self._session.tell(Notice("silence", sentence))
        if ends:
            await self._session.cancel()
