"""Requests become verbs of an agent, in the same way behind every wire and every socket."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING

import anyio

from kiro_core.errors import KiroError
from kiro_core.frames import Frame

if TYPE_CHECKING:
    from kiro_core.ports import Agent, Turn

_LOG = logging.getLogger(__name__)
_TAKE_BACK_S = 1.0


async def _any_other(agent: Agent, frame: Frame) -> Frame:
    return await agent.call(frame)


_VERBS: Mapping[str, Callable[[Agent, Frame], Awaitable[Frame]]] = {
    "authenticate": lambda agent, frame: agent.authenticate(frame),
    "logout": lambda agent, frame: agent.logout(frame),
    "session/new": lambda agent, frame: agent.new(frame),
    "session/load": lambda agent, frame: agent.open(frame, replay=True),
    "session/resume": lambda agent, frame: agent.open(frame, replay=False),
    "session/list": lambda agent, frame: agent.list(frame),
    "session/close": lambda agent, frame: agent.close(frame),
    "session/delete": lambda agent, frame: agent.delete(frame),
}
"""The requests of the protocol and the verbs of an agent; `session/prompt` is a turn, any other goes to `call`."""


async def answer(agent: Agent, frame: Frame, hung_up: anyio.Event, *, outcome_s: float = 0.0) -> Frame:
    """The agent's response to a client's request; `hung_up` is set when the client's connection has ended.

    A prompt that is taken back has `outcome_s` seconds to be answered with its outcome.

    Raises:
        KiroError: as the verb says.

    """
    if frame.method == "session/prompt":
        return await _settled(await agent.prompt(frame), hung_up, outcome_s)
    return await _VERBS.get(frame.method or "", _any_other)(agent, frame)


async def told(agent: Agent, frame: Frame) -> None:
    """Tell the agent what a client notifies it of; nobody waits for an answer, so a failure is only logged."""
    try:
        await (agent.cancel(frame) if frame.method == "session/cancel" else agent.notify(frame))
    except KiroError as error:
        # The session may just have ended.
        _LOG.debug("%s was dropped: %s", frame.method, error)


async def _settled(turn: Turn, hung_up: anyio.Event, outcome_s: float) -> Frame:
    try:
        return await turn.settled()
    except anyio.get_cancelled_exc_class():
        # `$/cancel_request` takes the prompt back; a client that only hung up leaves its turn running.
        if not hung_up.is_set():
            with anyio.move_on_after(_TAKE_BACK_S, shield=True):
                await turn.cancel()
            with anyio.move_on_after(outcome_s, shield=True):
                return await turn.settled()
        raise
