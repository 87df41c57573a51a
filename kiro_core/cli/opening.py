"""Opens the session that a command wants, in the way that its agent can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiro_core.frames import Frame
from kiro_core.messages import MARK
from kiro_core.ports import Agent
from kiro_core.rpc import result


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that is open; `answer` is the result of the request that opened it."""

    session: str
    answer: Mapping[str, Any] = field(repr=False)

    @property
    def about(self) -> dict[str, Any]:
        """`{sessionId, agent, engine, model}`; what is not known is `""`."""
        chosen = (self.answer.get("_meta") or {}).get(MARK, {})
        return {"sessionId": self.session, **{name: chosen.get(name, "") for name in ("agent", "engine", "model")}}


async def open_session(agent: Agent, opening: Frame) -> Opened:
    """Begin a session, or go on with one, as a request of `kiro_core.messages` says.

    Raises:
        KiroError: it could not be opened.

    """
    if opening.session is None:
        answer = await agent.new(opening)
    else:
        answer = await agent.open(opening, replay=opening.method == "session/load")
    opened = result(answer, "The session could not be opened")
    return Opened(opening.session or opened["sessionId"], opened)
