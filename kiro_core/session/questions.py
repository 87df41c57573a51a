"""The questions of an agent to a person: asked of whoever may answer, within a deadline, else denied."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio

from kiro_core.errors import KiroError, Unavailable
from kiro_core.frames import Frame
from kiro_core.journal import Journal
from kiro_core.session.answering import Asked, kind_of
from kiro_core.session.asking import Asking, Reply
from kiro_core.session.clients import Clients
from kiro_core.types import Notice

_STORE_S = 5.0
TURN_CANCELLED = "turn cancelled"
"""Who gave an answer: nobody, for the turn was cancelled."""


class Questions:
    """Permissions and forms (see `answering`), each recorded with its answer."""

    def __init__(
        self,
        journal: Journal,
        clients: Clients,
        tell: Callable[[Notice], Awaitable[None]],
        deadline_s: float,
        *,
        waits: bool,
    ) -> None:
        """Say no after `deadline_s` seconds, and tell so; with `waits` somebody may come who answers."""
        self._journal = journal
        self._clients = clients
        self._tell = tell
        self._deadline_s = deadline_s
        self._waits = waits
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

    async def ask(self, frame: Frame, shown: Frame, needed: str = "", clients: Clients | None = None) -> Reply:
        """Record `frame`, ask all controllers what is `shown`; the response is one's own, or says no.

        Both are recorded and shown as middlewares let them; who judges the question has it as the agent asked it.

        Only those are asked that have the ability `needed`. They are those of the session, or the `clients` of
        another.

        Raises:
            Unavailable, Fenced: question or answer could not be recorded; nothing may be done for it then.

        """
        kind, frame, shown = kind_of(frame), self._journal.filtered_frame(frame), self._journal.filtered_frame(shown)
        await self._journal.message("question", frame)
        asking = Asking(clients or self._clients, self._clients, shown, kind, needed, waits=self._waits)
        try:
            reply = await self._reply(asking, kind)
        except anyio.get_cancelled_exc_class():
            # The agent took it back or is gone: no question stays without its answer.
            with anyio.move_on_after(_STORE_S, shield=True), suppress(KiroError):
                await self._record(frame, kind.recorded(kind.taken_back()), "taken back")
            raise
        try:
            await self._record(frame, kind.recorded(reply.response), reply.by)
        except Unavailable:
            # What was answered may be on record all the same; then so is that nobody acted on it.
            self._journal.later("answer", _answer(frame, kind.recorded(kind.taken_back()), "not recorded"))
            raise
        asking.tell_others(reply)
        return reply

    async def _record(self, frame: Frame, answer: dict[str, object], by: str) -> None:
        await self._journal.settled("answer", _answer(frame, answer, by))

    async def _reply(self, asking: Asking, kind: Asked) -> Reply:
        with anyio.move_on_after(self._deadline_s) as scope:
            self._open[scope] = False
            try:
                return await asking.reply()
            finally:
                was_cancelled = self._open.pop(scope)
                self._clients.stir()
        if was_cancelled:
            return Reply(kind.taken_back(), TURN_CANCELLED)
        sentence = f"A question of the agent was not answered within {self._deadline_s:g} s and was {kind.refused}."
        await self._tell(Notice("question_denied", sentence))
        return Reply(asking.refusal, "deadline")


def _answer(question: Frame, answer: dict[str, object], by: str) -> dict[str, object]:
    call = question.params.get("toolCall")
    call_id = call.get("toolCallId") if isinstance(call, dict) else question.params.get("toolCallId")
    return {"toolCallId": call_id, **answer, "by": by}
