"""The tasks that this server remembers: all that are not finished, and of the others where they are recorded."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import anyio

from kiro_core.ports import Turn
from kiro_core.types import SessionId
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.progress import Progress

_REMEMBERED = 1000


@dataclass(eq=False, slots=True)
class Task:
    """One task; `progress` is the furthest that was read of it.

    `turn` is there while it is not finished, and `outcome`, as a record has it, when it is: a store that fails may not
    have it. One that is `cancelled` before it is begun has ended, though it settles when it would have been begun.
    """

    session: SessionId
    progress: Progress
    turn: Turn | None = None
    outcome: Mapping[str, Any] | None = None
    cancelled: bool = False
    settled: anyio.Event = field(default_factory=anyio.Event)

    @property
    def id(self) -> str:
        """What hosts call it."""
        return f"{self.session}:{self.progress.key}"


class Known:
    """Of the finished ones a thousand: any other is found in its record, which takes longer."""

    def __init__(self, most: int) -> None:
        """At most so many may be unfinished."""
        self.unfinished: dict[str, Task] = {}
        self._most = most
        self._beginning = 0
        self._finished: OrderedDict[str, Task] = OrderedDict()

    def get(self, task_id: str) -> Task | None:
        """A task that is remembered."""
        return self.unfinished.get(task_id) or self._finished.get(task_id)

    @contextmanager
    def room(self) -> Iterator[None]:
        """Begin one more in this block.

        Raises:
            ToolFailure: SERVER_OVERLOADED.

        """
        if len(self.unfinished) + self._beginning >= self._most:
            raise ToolFailure(
                "SERVER_OVERLOADED",
                f"{_counted(self._most)} not finished, and no more are allowed here.",
                hint="Wait until one has ended. Or cancel one with kiro_task_cancel.",
                details={"max_tasks": self._most},
            )
        self._beginning += 1
        try:
            yield
        finally:
            self._beginning -= 1

    def add(self, task: Task) -> None:
        """A task is begun."""
        self.unfinished[task.id] = task

    def remember(self, task: Task) -> None:
        """A task has ended, or was found in a record."""
        self.unfinished.pop(task.id, None)
        task.turn = None
        task.settled.set()
        self._finished[task.id] = task
        self._finished.move_to_end(task.id)
        while len(self._finished) > _REMEMBERED:
            self._finished.popitem(last=False)


def _counted(most: int) -> str:
    return "1 task is" if most == 1 else f"{most} tasks are"
