"""One turn: accepted, then dispatched to the agent, and ended in exactly one named state."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from kiro_core.errors import KiroError
from kiro_core.frames import Frame
from kiro_core.lazily import LazyEvent


class PromptTurn:
    """One accepted prompt: `id` is unique in the session, `asked` the client's request, `shown` that as others see it.

    It has `begun` when that is on record, and is `dispatched` when the agent was sent it.
    """

    def __init__(
        self,
        id: str,  # noqa: A002 - its id
        asked: Frame,
        shown: Frame,
        take_back: Callable[[PromptTurn], None],
    ) -> None:
        """Begin as accepted."""
        self.id = id
        self.asked = asked
        self.shown = shown
        self.cancelled = False
        self.failure: KiroError | None = None
        self.begun = False
        self.dispatched = False
        self._take_back = take_back
        self._done = LazyEvent()
        self._response = Frame.answer({})

    def settle(self, response: Frame) -> None:
        """Give the outcome."""
        self._response = response
        self._done.set()

    async def settled(self) -> Frame:
        """Wait for the outcome: the response to the prompt."""
        await self._done.wait()
        return self._response

    async def cancel(self) -> None:
        """Cancel this turn and no other; it settles later."""
        self._take_back(self)


def cancelled() -> Frame:
    """The response to a prompt that was cancelled (ACP "Cancellation")."""
    return Frame.answer({"stopReason": "cancelled"})


def ended(response: Frame, still_open: Iterable[str], *, accepted: bool = True) -> dict[str, Any]:
    """What `turn_ended` records: `{state, open, stopReason?, usage?, error?}`.

    `state` is "settled", "failed", "cancelled" or, when it was never accepted, "refused"; `open` are the
    ids of the turns that were accepted and had no end yet, so that recovery need not search the whole
    log for them.
    """
    open_turns = list(still_open)
    if response.failed:
        return {"state": "failed" if accepted else "refused", "open": open_turns, "error": response.error}
    told = {key: value for key, value in response.result.items() if key in ("stopReason", "usage")}
    state = "cancelled" if told.get("stopReason") == "cancelled" else "settled"
    return {"state": state, "open": open_turns, **told}


def unsettled(state: str, reason: str, still_open: Iterable[str]) -> dict[str, Any]:
    """The same for a turn of an earlier life of the session: "unknown" or "cancelled", and why, in a sentence."""
    return {"state": state, "open": list(still_open), "reason": reason}
