"""What is started, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Command:
    """What a launcher starts: `argv` without a shell, `cwd` absolute.

    `env` is added to what the launcher inherits, `unset` is taken away from it first. `output_only` is for
    a command that nobody talks to: its stdin is empty, and its stderr goes into its stdout in order.
    """

    argv: Sequence[str]
    cwd: str
    env: Mapping[str, str] = field(default_factory=dict)
    unset: Sequence[str] = ()
    output_only: bool = False


@dataclass(frozen=True, slots=True)
class Exit:
    """How a process ended: `code` is its exit code, or minus the signal's number."""

    code: int

    def __str__(self) -> str:
        """Words for a message: `status 3` or `signal 9`."""
        return f"status {self.code}" if self.code >= 0 else f"signal {-self.code}"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a launcher ended of a launch that nobody owned any more.

    `identity` is the process's own (see `Process`), `program` its name without arguments, `ended` how many
    processes it was together with all that it had started.
    """

    identity: str
    program: str
    ended: int
