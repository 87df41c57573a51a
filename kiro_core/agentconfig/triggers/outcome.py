"""What came of an event's triggers, in the form in which a session uses, shows and records it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from kiro_core.types import Notice


@dataclass(frozen=True, slots=True)
class TriggerRun:
    """One run as it may be recorded: nothing of what the trigger was told, and nothing of what it said.

    `name` is its program without arguments, which may be secrets; `status` its exit code, or minus the signal's
    number, or "timeout", or "failed" when it could not be started. `stdout_bytes` is all that it wrote, also
    what was cut. One that is `cached` did not run: an earlier run counted, which `stdout_bytes` is of.
    """

    event: str
    name: str
    status: int | str
    duration_ms: int = 0
    stdin_bytes: int = 0
    stdout_bytes: int = 0
    cached: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an event's triggers want: `context` for the model, and `blocked`, why a tool may not run, or None.

    `runs` are in the order of the configuration; `notices` tell of those that failed.
    """

    context: str = ""
    blocked: str | None = None
    runs: Sequence[TriggerRun] = ()
    notices: Sequence[Notice] = ()
