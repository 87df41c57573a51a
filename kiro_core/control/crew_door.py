"""Agents come to the tools of their crews through the desk's socket, each with a token for its own session alone."""

from __future__ import annotations

from contextlib import suppress

import anyio

from kiro_core.control import methods
from kiro_core.control.first_line import Begun
from kiro_core.control.front import Front
from kiro_core.frames import Frame
from kiro_core.rpc import INVALID_PARAMS

_ANSWERED_S = 2.0
_REFUSAL = "This is not possible."
"""Whoever tries tokens learns nothing from it."""


async def entered(connection: Begun, front: Front) -> bool:
    """Whether a connection is the way of an agent to its tools; then it has been answered, and is not the door's.

    One with a token that is not good is closed.
    """
    frame = Frame.read(connection.line)
    if frame.method != methods.CREW or not frame.is_request:
        return False
    connection.skip()
    token = frame.params.get("token")
    if isinstance(token, str) and front.enter(token, connection):
        await _say(connection, Frame.answer({}, frame.id or b"null"))
        return True
    await _say(connection, Frame.failure(INVALID_PARAMS, _REFUSAL, id=frame.id or b"null"))
    await connection.aclose()
    return True


async def _say(connection: Begun, answer: Frame) -> None:
    """Answer, unless nobody reads it any more; the session may have ended meanwhile, too."""
    with anyio.move_on_after(_ANSWERED_S), suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        await connection.send(answer.raw + b"\n")
