"""Start an agent program again that ended by itself, and give up on one that keeps ending."""

from __future__ import annotations

from dataclasses import dataclass, field

import anyio

from kiro_core.errors import AgentGone, KiroError

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0


@dataclass(slots=True)
class Wake:
    """The lifecycle command that starts the agent program again; `done` is its reply."""

    done: anyio.Event = field(default_factory=anyio.Event)
    error: KiroError | None = None


class Restarts:
    """How often the program ended since it last finished a turn."""

    def __init__(self, limit: int) -> None:
        """Allow that many starts in a row."""
        self._limit = limit
        self._ends = 0
        self._ended_at = 0.0

    def finished(self) -> None:
        """Take note of a turn that the program finished."""
        self._ends = 0

    def ended(self, error: KiroError) -> None:
        """Take note of an end, for which `error` says why.

        Raises:
            AgentGone: too many in a row.

        """
        self._ends += 1
        self._ended_at = anyio.current_time()
        if self._ends > self._limit:
            raise AgentGone(
                f"The agent program ended {self._ends} times in a row and is not started again. Last: {error}",
                hint=f"{error.hint} Load the session again to try once more.".strip(),
                **error.details,
            ) from error

    async def back_off(self) -> None:
        """Wait before the next start: not after the first end, half a second after the second, then twice as long."""
        if self._ends > 1:
            pause = min(_FIRST_PAUSE_S * 2 ** (self._ends - 2), _LONGEST_PAUSE_S)
            await anyio.sleep_until(self._ended_at + pause)
