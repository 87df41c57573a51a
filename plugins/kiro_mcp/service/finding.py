"""Tasks that this server does not remember, found in the records of their sessions."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from contextlib import aclosing

from kiro_core.ports import Desk
from kiro_core.types import SessionId
from kiro_mcp.service.known import Task
from kiro_mcp.service.progress import Progress
from kiro_mcp.service.reading import NONE, Reading


async def found(desk: Desk, session: SessionId, key: str) -> Task | None:
    """The task of that key, if the session's record has it.

    Raises:
        KiroError: it cannot be read.

    """
    reading = Reading(desk, session, Progress(key), NONE)
    await reading.accepted(follow=False)
    return Task(session, reading.progress) if reading.progress.turn else None


async def recorded(desk: Desk, session: SessionId, most: int) -> Sequence[Task]:
    """The newest tasks of a session, at most so many, oldest first.

    Raises:
        KiroError: its record cannot be read.

    """
    newest: deque[Progress] = deque(maxlen=most)
    async with aclosing(desk.told(session)) as items:
        async for item in items:
            if item.kind == "prompt" and (key := item.details.get("task")):
                newest.append(Progress(key))
            for progress in newest:
                if not progress.ended:
                    progress.follow(item)
    return [Task(session, progress) for progress in newest]
