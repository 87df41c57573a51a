"""What the record of a child says of the one prompt that its run gave it: the same live and after a crash."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from kiro_core.crew.events import AttemptOutcome
from kiro_core.frames import Frame
from kiro_core.types import Told

MOST_CHARACTERS = 65_536
"""Of a result; the child's record has all of it."""


class Result(NamedTuple):
    """What became of an attempt: its result, or what failed."""

    outcome: AttemptOutcome
    text: str


@dataclass(slots=True)
class Said:
    """One turn, which its prompt calls `task`.

    `begun` tells that the agent was sent the prompt; `end` is the turn's outcome as `Told` has it, None before it;
    `is_whole` is False where records of it are lost. `message` is what the agent said behind its last use of a tool.
    """

    task: str
    begun: bool = False
    end: Mapping[str, Any] | None = None
    is_whole: bool = True
    message: list[str] = field(default_factory=list)
    _turn: str = ""
    _behind_tool: bool = False

    def follow(self, item: Told) -> None:
        """Take note of what comes next in the record."""
        if item.kind == "prompt" and item.details.get("task") == self.task:
            self._turn = item.turn
        elif item.kind == "lost":
            self.is_whole = False
        elif not self._turn or item.turn != self._turn:
            return
        elif item.kind == "begun":
            self.begun = True
        elif item.kind == "ended":
            self.end = item.details
        elif item.kind == "tool":
            self._behind_tool = True
        elif item.kind == "agent":
            self._speak(item.text)

    def _speak(self, text: str) -> None:
        if self._behind_tool:
            self.message.clear()
            self._behind_tool = False
        self.message.append(text)


async def read_said(told: AsyncGenerator[Told, None], task: str) -> Said:
    """Read a child's record, as far as it is there.

    Raises:
        SessionNotFound, RecordInvalid, Unavailable: as the store says.

    """
    said = Said(task)
    async with aclosing(told) as items:
        async for item in items:
            said.follow(item)
    return said


def result_of(said: Said) -> str:
    """The result of a turn that has ended well: its last message, of a very long one the end."""
    text = "".join(said.message).strip()
    cut = len(text) - MOST_CHARACTERS
    return text if cut <= 0 else f"[The first {cut} characters are left out.]\n{text[cut:]}"


def end_of(response: Frame) -> Mapping[str, Any]:
    """The outcome of a turn from the answer to its prompt, as its record has it."""
    if response.failed:
        return {"state": "failed", "error": response.error}
    return {"state": "settled", "stopReason": response.result.get("stopReason")}


def judged(end: Mapping[str, Any], said: Said) -> Result | None:
    """What an attempt came to whose turn ended so; None where nobody knows."""
    error, reason = end.get("error"), end.get("stopReason")
    if end.get("state") in ("failed", "refused"):
        told = error.get("message") if isinstance(error, dict) else None
        return Result("failed", str(told or "The turn failed, and nobody said why."))
    if end.get("state") != "settled":
        return None  # also "cancelled": on record that is how the end of a desk cuts a turn off
    match reason:
        case "end_turn":
            return Result("succeeded", result_of(said))
        case "cancelled":
            return Result("cancelled", "Somebody cancelled its turn.")
        case "refusal":
            return Result("failed", "The agent refused to do it.")
        case _:
            return Result("failed", f"The agent stopped before it was done: {reason}.")
