"""The questions of an agent to a person: asked of the client, within a deadline, and denied when nobody answers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio

from kiro_core.errors import Disconnected, KiroError, Unavailable
from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.ports import Client
from kiro_core.session.answering import Asked, kind_of
from kiro_core.types import Notice

_STORE_S = 5.0


class Questions:
    """Permissions and forms (see `answering`), each recorded with its answer."""

    def __init__(self, journal: Journal, tell: Callable[[Notice], Awaitable[None]], deadline_s: float) -> None:
        """Say no after `deadline_s` seconds, and tell so."""
        self._journal = journal
        self._tell = tell
        self._deadline_s = deadline_s
        self._open: dict[anyio.CancelScope, bool] = {}

    @property
    def any_open(self) -> bool:
        """Whether somebody is being asked right now."""
        return bool(self._open)

    def cancel(self) -> None:
        """Answer every open question with `cancelled`, as a client must when it cancels a turn."""
        for scope in self._open:
            self._open[scope] = True
            scope.cancel()

    async def ask(self, frame: Frame, client: Client | None, shown: Frame) -> Frame:
        """Record `frame` as it came, ask the client what is `shown`; the response is its own, or says no.

        Raises:
            Unavailable, Fenced: question or answer could not be recorded; nothing may be done for it then.

        """
        kind = kind_of(frame)
        await self._journal.message("question", frame)
        try:
            response, by = await self._asked(shown, client, kind)
        except anyio.get_cancelled_exc_class():
            # The agent took it back or is gone: no question stays without its answer.
            with anyio.move_on_after(_STORE_S, shield=True), suppress(KiroError):
                await self._record(frame, kind.recorded(kind.taken_back()), "taken back")
            raise
        try:
            await self._record(frame, kind.recorded(response), by)
        except Unavailable:
            # What was answered may be on record all the same; then so is that nobody acted on it.
            self._journal.later("answer", _answer(frame, kind.recorded(kind.taken_back()), "not recorded"))
            raise
        return response

    async def _record(self, frame: Frame, answer: dict[str, object], by: str) -> None:
        await self._journal.settled("answer", _answer(frame, answer, by))

    async def _asked(self, frame: Frame, client: Client | None, kind: Asked) -> tuple[Frame, str]:
        refusal = kind.refusal(frame)
        if client is None:
            return refusal, "nobody to ask"
        with anyio.move_on_after(self._deadline_s) as scope:
            self._open[scope] = False
            try:
                response = await client.request(frame)
            except Disconnected:
                return refusal, "client gone"
            else:
                return (response, "client") if kind.is_answer(frame, response) else (refusal, _why_not(response))
            finally:
                was_cancelled = self._open.pop(scope)
        if was_cancelled:
            return kind.taken_back(), "turn cancelled"
        sentence = f"A question of the agent was not answered within {self._deadline_s:g} s and was {kind.refused}."
        await self._tell(Notice("question_denied", sentence))
        return refusal, "deadline"


def _answer(question: Frame, answer: dict[str, object], by: str) -> dict[str, object]:
    call = question.params.get("toolCall")
    call_id = call.get("toolCallId") if isinstance(call, dict) else question.params.get("toolCallId")
    return {"toolCallId": call_id, **answer, "by": by}


def _why_not(response: Frame) -> str:
    return "nobody to ask" if response.failed else "no valid answer"
