"""How far a stage is: values that are replaced and never changed, so that what was shown stays true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Literal

from kiro_core.types import NO_USAGE, Usage

if TYPE_CHECKING:
    from kiro_core.crew.events import AttemptOutcome, Outcome
    from kiro_core.crew.stages import Stage

Phase = Literal["waiting", "running", "unknown", "ended", "settled"]
"""Of a stage: "unknown" waits for a choice, "ended" has an outcome that a loop may take back, "settled" for good."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One time that a stage ran, `number` counted from 1; times are seconds since 1970.

    While it runs, `ended` is None and the rest empty; then `text` is its result, or what failed, and `usage` what its
    agent told of that.
    """

    number: int
    started: float
    ended: float | None = None
    outcome: AttemptOutcome | Literal[""] = ""
    text: str = ""
    usage: Usage = NO_USAGE

    @property
    def error(self) -> str:
        """What failed; empty while it runs, and when it succeeded."""
        return "" if self.outcome == "succeeded" else self.text


@dataclass(frozen=True, slots=True)
class StageState:
    """How far a stage is.

    `reason` is the end of a sentence, without its full stop: why the outcome is what it is, where no attempt says so.
    `failures` count in the present round, `due` is when the next attempt may start (seconds since 1970, 0: at once).
    `sent_back` is how often this stage's loop has sent the work back, `asked_by` the stage that sent it to this one.
    """

    phase: Phase = "waiting"
    attempts: tuple[Attempt, ...] = ()
    outcome: Outcome | Literal[""] = ""
    reason: str = ""
    failures: int = 0
    due: float = 0.0
    sent_back: int = 0
    asked_by: str = ""

    @property
    def is_over(self) -> bool:
        """Whether it has an outcome, for good or not."""
        return self.phase in ("ended", "settled")

    @property
    def result(self) -> str:
        """That of the last attempt that succeeded, also where a later one did not; empty when none did."""
        return next((one.text for one in reversed(self.attempts) if one.outcome == "succeeded"), "")

    @property
    def error(self) -> str:
        """What failed in the last attempt."""
        return self.attempts[-1].error if self.attempts else ""

    @property
    def usage(self) -> Usage:
        """That of all attempts."""
        return sum((one.usage for one in self.attempts), NO_USAGE)

    @property
    def cut_off(self) -> int:
        """How many attempts in a row ended as unknown, up to the last one."""
        return len(list(takewhile(lambda one: one.outcome == "unknown", reversed(self.attempts))))

    def began(self, at: float) -> StageState:
        """With one attempt more, which runs."""
        attempt = Attempt(len(self.attempts) + 1, at)
        return replace(self, phase="running", attempts=(*self.attempts, attempt))

    def closed(self, at: float, outcome: AttemptOutcome, text: str = "", usage: Usage = NO_USAGE) -> StageState:
        """With what became of the last attempt."""
        last = replace(self.attempts[-1], ended=at, outcome=outcome, text=text, usage=usage)
        return replace(self, attempts=(*self.attempts[:-1], last))

    def ended(self, outcome: Outcome, reason: str = "") -> StageState:
        """With an outcome."""
        return replace(self, phase="ended", outcome=outcome, reason=reason)

    def again(self, due: float = 0.0) -> StageState:
        """Waiting for another attempt in the same round."""
        return replace(self, phase="waiting", due=due)

    def fresh(self, asked_by: str = "") -> StageState:
        """Waiting for another round."""
        return StageState(attempts=self.attempts, sent_back=self.sent_back, asked_by=asked_by)


_BECAME: Mapping[str, str] = {
    "failed": "failed",
    "timed_out": "ran out of time",
    "cancelled": "was cancelled",
    "unknown": "was cut off",
    "skipped": "was skipped",
}


def became(stage: str, outcome: str) -> str:
    """What became of a stage that did not succeed, in words."""
    return f"{stage!r} {_BECAME[outcome]}"


def why_skipped(stage: Stage, outcomes: Mapping[str, str]) -> str:
    """Why a stage does not run, given what became of those that it depends on; empty when it does."""
    if stage.when == "all_succeeded":
        missed = next((one for one in stage.depends_on if outcomes[one] != "succeeded"), None)
        return "" if missed is None else became(missed, outcomes[missed])
    if stage.when == "any_failed" and not any(outcomes[one] in ("failed", "timed_out") for one in stage.depends_on):
        return "nothing that it depends on failed"
    return ""
