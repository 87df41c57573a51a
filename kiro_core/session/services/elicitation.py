"""Serve `elicitation/create`: what an agent wants a person to fill in or to visit, which only a client can show."""

from __future__ import annotations

from kiro_core.errors import RpcError
from kiro_core.frames import Frame
from kiro_core.rpc import INVALID_PARAMS, METHOD_NOT_FOUND
from kiro_core.session.services.served import Served


async def elicit(session: Served, frame: Frame) -> Frame:
    """`{mode?, message, ...}` -> `{action: "accept" | "decline" | "cancel", content?}`.

    Raises:
        RpcError: the client offers no elicitation, or not of that mode; a client that is gone cancels.

    """
    needed = f"elicitation-{frame.params.get('mode', 'form')}"
    offered = [member.client.info.abilities for member in session.clients.controllers]
    if offered and not any(needed in abilities for abilities in offered):
        if not any(ability.startswith("elicitation-") for abilities in offered for ability in abilities):
            raise RpcError(METHOD_NOT_FOUND, f"The client does not offer {frame.method}.")
        mode = needed.removeprefix("elicitation-")
        raise RpcError(INVALID_PARAMS, f"The client does not offer the mode {mode!r} of {frame.method}.")
    reply = await session.questions.ask(frame, session.for_client(_in_session(session, frame)), needed)
    return reply.response


def _in_session(session: Served, frame: Frame) -> Frame:
    """An elicitation about a request of ours to the agent, as one about the session: the client knows no such id."""
    if frame.session is not None or "requestId" not in frame.params:
        return frame
    params = {key: value for key, value in frame.params.items() if key != "requestId"}
    return Frame.of(frame.method or "", {"sessionId": session.plan.info.id, **params}, id=0)
