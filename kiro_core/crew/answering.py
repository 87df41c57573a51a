"""How a task is given to a session and what it came to: one way, whether a run or another session gave it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any

from kiro_core import messages
from kiro_core.crew.said import Result, end_of, judged, read_said, reminder_key
from kiro_core.errors import KiroError

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.ports import Agent
    from kiro_core.types import SessionId, Told

_LOG = logging.getLogger(__name__)
_REMINDER = "The result of your task is not told yet: call the tool `summary` with it."


async def answered(  # noqa: PLR0913 - the last by name
    ground: Ground, agent: Agent, session: SessionId, task: str, prompt: str, *, hops: int = 0
) -> Result | None:
    """Prompt an open session with a task, which its record calls `task`, and wait for what it comes to.

    So many letters led to it (`hops`).

    An agent that has the tool `summary`, and ends well without having called it, is asked for that once. To cancel
    the wait leaves the turn alone; then `left` tells what is on record.

    None: nobody knows what it came to, since the record is cut off or damaged.

    Raises:
        KiroError: the session does not take the prompt, or its record cannot be read.

    """
    end = await _prompted(agent, session, task, prompt, hops)
    said = await read_said(ground.told(session), task)
    result = judged(end, said)
    if result is None or result.outcome != "succeeded" or said.summary is not None or not ground.uses_tools(session):
        return result
    try:
        await _prompted(agent, session, reminder_key(task), _REMINDER, hops)
    except KiroError as error:  # the task is done, with or without a summary
        _LOG.info("the session %s could not be reminded of its summary: %s", session, error)
    return judged(end, await read_said(ground.told(session), task))


async def left(told: AsyncGenerator[Told, None], task: str) -> Result | None:
    """What a task came to as far as the record of its session says; None where it had not ended, or records are lost.

    Raises:
        SessionNotFound, RecordInvalid, Unavailable: as the store says.

    """
    said = await read_said(told, task)
    return judged(said.end, said) if said.end is not None and said.is_whole else None


async def _prompted(agent: Agent, session: SessionId, task: str, text: str, hops: int) -> Mapping[str, Any]:
    turn = await agent.prompt(messages.prompt(session, text, task=task, hops=hops))
    return end_of(await turn.settled())
