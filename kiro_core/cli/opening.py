"""Opens the session that a command wants, in the way that its agent can."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kiro_core.frames import Frame
from kiro_core.notices import MARK
from kiro_core.ports import Agent
from kiro_core.rpc import result
from kiro_core.types import SessionInfo


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


async def open_session(
    agent: Agent, params: Mapping[str, Any], recorded: SessionInfo | None, *, replay: bool = False
) -> Opened:
    """Begin a session, or go on with a recorded one; `replay` shows its conversation first.

    Raises:
        KiroError: it could not be opened.

    """
    if recorded is None:
        answer = await agent.new(Frame.of("session/new", params, id=0))
    else:
        method = "session/load" if replay else "session/resume"
        answer = await agent.open(Frame.of(method, params, id=0), replay=replay)
    opened = result(answer, "The session could not be opened")
    return Opened(recorded.id if recorded else opened["sessionId"], opened)
