"""How long a turn may take: for ever while it is heard, but silence is told and a cancel is final."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import anyio

from kiro_core.frames import Frame
from kiro_core.ports import Turn
from kiro_core.session.turns import PromptTurn, cancelled
from kiro_core.settings import Limits
from kiro_core.types import Notice


class Patience:
    """Waits for the outcome of a turn, one at a time."""

    def __init__(self, limits: Limits, tell: Callable[[Notice], Awaitable[None]]) -> None:
        """Tell of silence after `limits.silence_s`; give up `limits.control_s` after a cancel."""
        self._limits = limits
        self._tell = tell
        self._heard_at = 0.0
        self._waiting: anyio.CancelScope | None = None

    def heard(self) -> None:
        """Take note that the agent gave a sign of life; cheap enough for every chunk."""
        self._heard_at = anyio.current_time()

    def look_again(self) -> None:
        """Let a waiting `outcome` see that its turn was cancelled."""
        if self._waiting is not None:
            self._waiting.cancel()

    async def outcome(self, turn: PromptTurn, asked: Turn, asking: Callable[[], bool]) -> Frame:
        """Wait for the agent's answer; while `asking` somebody, silence is not the agent's."""
        self.heard()
        give_up_at = None
        while True:
            if turn.cancelled and give_up_at is None:
                give_up_at = anyio.current_time() + self._limits.control_s
            until = self._heard_at + self._limits.silence_s if give_up_at is None else give_up_at
            with anyio.CancelScope(deadline=until) as self._waiting:
                return await asked.settled()
            if give_up_at is not None and anyio.current_time() >= give_up_at:
                await self._tell(Notice("cancel_unconfirmed", self._unconfirmed))
                return cancelled()
            if not turn.cancelled and anyio.current_time() >= self._heard_at + self._limits.silence_s:
                self.heard()
                if not asking():
                    await self._tell(Notice("silence", self._silent))

    @property
    def _unconfirmed(self) -> str:
        return f"The agent did not confirm the cancel within {self._limits.control_s:g} s; it may still be at work."

    @property
    def _silent(self) -> str:
        return f"The agent has not been heard for {self._limits.silence_s:g} s; the turn goes on until it is cancelled."
