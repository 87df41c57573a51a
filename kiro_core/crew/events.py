"""What happens in a run, as plain data that can be put on record and read again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from kiro_core.errors import RecordInvalid
from kiro_core.types import Usage

Outcome = Literal["succeeded", "failed", "timed_out", "cancelled", "unknown", "skipped"]
"""What became of a stage. "unknown": it was cut off, and nobody can say how far it came."""

AttemptOutcome = Literal["succeeded", "failed", "timed_out", "cancelled", "unknown"]
Ending = Literal["", "cancelled", "timed_out", "limited"]
"""Why a run ends early, if it does."""

Choice = Literal["retry", "skip"]
Policy = Literal["retry", "ask"]


class Event(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """One fact; everything else about a run follows from these and the crew. `at` is seconds since 1970.

    - "started": attempt number `attempt` of a stage, from 1 and over all that makes it run again;
    - "settled": what became of that attempt (`outcome`), its result, or what failed (`text`), and what it used, if
      its agent told (`usage`);
    - "answered": what a person chose for a stage of which nothing is known (`choice`: "retry" or "skip");
    - "resumed": another process goes on with the run, and what was running is unknown; `choice` is "retry" for it
      to run again, or "ask";
    - "cancelled", "timed_out" when the time of the whole run was over, and "limited" when it had used more than it
      may: nothing starts any more.
    """

    kind: Literal["started", "settled", "answered", "resumed", "cancelled", "timed_out", "limited"]
    at: float
    stage: str = ""
    attempt: int = 0
    outcome: AttemptOutcome | Literal[""] = ""
    text: str = ""
    choice: Literal["", "retry", "skip", "ask"] = ""
    usage: Usage | None = None

    def to_json(self) -> dict[str, Any]:
        """As JSON values, without what is empty."""
        fields: dict[str, Any] = msgspec.to_builtins(self)
        return fields

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Event:
        """The event that `to_json` wrote; keys of a newer version are skipped.

        Raises:
            RecordInvalid: it is none.

        """
        try:
            return msgspec.convert(fields, cls)
        except msgspec.ValidationError as error:
            raise RecordInvalid(
                f"This is no event of a crew's run: {error}.", hint="Update, if a newer version wrote it."
            ) from error
