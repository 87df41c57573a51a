"""What the record of a child says of the one task that it was given: the same live and after a crash."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from kiro_core.crew.events import AttemptOutcome
    from kiro_core.frames import Frame
    from kiro_core.types import Told

MOST_CHARACTERS = 65_536
"""Of a result; the child's record has all of it."""


class Result(NamedTuple):
    """What became of a task: its result, or what failed."""

    outcome: AttemptOutcome
    text: str


class Speech:
    """What an agent says in one turn; its `message` is what it said behind its last use of a tool."""

    def __init__(self) -> None:
        """Nothing is said yet."""
        self._parts: list[str] = []
        self._behind_tool = False

    @property
    def message(self) -> str:
        """Without white space around it."""
        return "".join(self._parts).strip()

    def follow(self, item: Told) -> None:
        """Take note of what comes next in the turn."""
        if item.kind == "tool":
            self._behind_tool = True
        elif item.kind == "agent":
            if self._behind_tool:
                self._parts.clear()
                self._behind_tool = False
            self._parts.append(item.text)


@dataclass(slots=True)
class Said:
    """What was said for one task, which its prompts call `task`.

    `begun` tells that the agent was sent the prompt; `end` is the turn's outcome as `Told` has it, None before it;
    `is_whole` is False where records of it are lost. Of a task that was put in other words in its course, all this is
    of the last prompt. `speech` is of that turn, `reminded` of the one that asked for a summary, and `summary` is the
    last one that the agent gave, with the context that goes with it, None without one. `at` is the time of the last
    record (RFC 3339 in UTC), empty where there is none.
    """

    task: str
    begun: bool = False
    end: Mapping[str, Any] | None = None
    is_whole: bool = True
    summary: str | None = None
    at: str = ""
    speech: Speech = field(default_factory=Speech)
    reminded: Speech = field(default_factory=Speech)
    _turn: str = ""
    _reminder: str = ""
    _is_at_it: bool = False

    def follow(self, item: Told) -> None:
        """Take note of what comes next in the record."""
        self.at = item.at
        if item.kind == "lost":
            self.is_whole = False
        elif item.kind == "prompt":
            self._prompted(item)
        elif item.kind == "summary" and self._is_at_it:
            self.summary = "\n\n".join(filter(None, (item.text.strip(), str(item.details.get("context") or ""))))
        elif item.turn and item.turn == self._turn:
            self._heard(item)
        elif item.turn and item.turn == self._reminder:
            self.reminded.follow(item)

    def _prompted(self, item: Told) -> None:
        task = item.details.get("task")
        if task == self.task:
            self._turn, self.begun, self.end, self.speech = item.turn, False, None, Speech()
        elif task == reminder_key(self.task):
            self._reminder = item.turn
        if task is not None:
            self._is_at_it = task in (self.task, reminder_key(self.task))

    def _heard(self, item: Told) -> None:
        if item.kind == "begun":
            self.begun = True
        elif item.kind == "ended":
            self.end = item.details
        else:
            self.speech.follow(item)


def reminder_key(task: str) -> str:
    """What a record calls the turn that asks for the summary of a task."""
    return f"{task} reminder"


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
    """The result of a task that has ended well: its summary, else its last message; of a very long one the end."""
    text = said.speech.message or said.reminded.message if said.summary is None else said.summary
    cut = len(text) - MOST_CHARACTERS
    return text if cut <= 0 else f"[The first {cut} characters are left out.]\n{text[cut:]}"


def end_of(response: Frame) -> Mapping[str, Any]:
    """The outcome of a turn from the answer to its prompt, as its record has it."""
    if response.failed:
        return {"state": "failed", "error": response.error}
    return {"state": "settled", "stopReason": response.result.get("stopReason")}


def judged(end: Mapping[str, Any], said: Said) -> Result | None:
    """What a task came to whose turn ended so; None where nobody knows."""
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
