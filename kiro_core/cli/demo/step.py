"""What a step of the demo is: a promise, how it is shown, and the doing, which checks it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kiro_core.errors import KiroError

if TYPE_CHECKING:
    from kiro_core.cli.demo.shell import Shell


@dataclass(frozen=True, slots=True)
class Step:
    """One of them: `name` is for programs, `shows` the promise, `how` what is done, `proof` what was seen.

    `act` raises KiroError when what it sees is not what is promised.
    """

    name: str
    shows: str
    how: str
    proof: str
    act: Callable[[Shell], Awaitable[None]]


def require(seen: bool, otherwise: str) -> None:  # noqa: FBT001 - the claim itself, as in an assertion
    """Go on where a claim is true.

    Raises:
        KiroError: it is not; `otherwise` is the sentence that says so.

    """
    if not seen:
        raise KiroError(otherwise)
