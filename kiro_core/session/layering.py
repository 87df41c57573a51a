"""What a session makes of its middlewares' vetoes and failures, which the agent program meets as refusals."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiro_core.errors import KiroError, MiddlewareFailed, Vetoed
from kiro_core.frames import Frame
from kiro_core.policy import Decision
from kiro_core.session.answering import Elicitation
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

MIDDLEWARE = "middleware"
"""The origin of such decisions, whose rule is the name of the middleware."""


class Layering:
    """Implements `Layered`."""

    def __init__(self, session: Session) -> None:
        """Nothing was kept out yet."""
        self._session = session

    def fail(self, error: KiroError) -> None:
        """See `Layered.fail`."""
        self._session.fail(error)

    async def kept_out(self, by: str, updates: int, veto: Vetoed) -> None:
        """See `Layered.kept_out`; that there was something is on record, and not what it was."""
        told = {"by": by, "updates": updates, "reason": str(veto)}
        self._session.journal.later("kept_out", told, self._session.running_turn)

    async def denied(self, by: str, frame: Frame, error: Vetoed | MiddlewareFailed) -> Frame:
        """See `Layered.denied`."""
        session, params = self._session, frame.params
        decision = Decision("deny", by, MIDDLEWARE, str(error))
        if frame.method == "session/request_permission" and isinstance(params.get("toolCall"), dict):
            return await session.guard.refused(frame, decision)
        about = {**decision.recorded(), "method": frame.method, "outcome": "denied", "by": MIDDLEWARE}
        await session.journal.settled("decision", about, session.running_turn)
        details = {"toolCallId": "", "title": frame.method}
        await session.tell(Notice("tool_denied", f"Not allowed: {frame.method}. {error}", details=details))
        if frame.method != "elicitation/create":
            raise error
        return Elicitation().refusal(frame)

    async def refused(self, veto: Vetoed) -> Frame:
        """The outcome of a turn whose prompt was not let pass; the agent program has not seen it."""
        sentence = f"The prompt was not sent. {veto} {veto.hint}".rstrip()
        await self._session.tell(Notice("prompt_vetoed", sentence, details=veto.details))
        return Frame.answer({"stopReason": "refusal"})
