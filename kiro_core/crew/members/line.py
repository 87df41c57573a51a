"""Who of a tree may begin: each behind what it depends on, in the order of the spawns, and not too many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from kiro_core.types import SessionId


class InLine(Protocol):
    """A task, as the others see it."""

    root: SessionId
    begun: bool

    @property
    def parked(self) -> bool:
        """Whether it only waits for others."""
        ...

    @property
    def is_over(self) -> bool:
        """Whether it has settled."""
        ...

    def before(self) -> list[str]:
        """The names of those that it waits for."""
        ...


def may_begin(mine: InLine, line: Iterable[InLine], most: int) -> bool:
    """Whether a task may begin now, where `most` of a tree are at work at a time; who only waits for others is not."""
    if mine.before():
        return False
    ahead, is_behind = 0, False
    for other in line:
        is_behind = is_behind or other is mine
        if other.root != mine.root or other.is_over or other is mine:
            continue
        if other.begun:
            ahead += not other.parked
        elif not is_behind:
            ahead += not other.before()
    return ahead < most
