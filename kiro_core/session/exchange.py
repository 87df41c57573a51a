"""A turn's way to the agent: the prompt in the form that it can take, and the cancel that follows it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import anyio

from kiro_core.errors import Disconnected
from kiro_core.frames import Frame
from kiro_core.session.prompts import adapted, prompt_title, with_preface
from kiro_core.session.turns import PromptTurn

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_LOG = logging.getLogger(__name__)


class Exchange:
    """What turns need of their session (`Engaged`)."""

    def __init__(self, session: Session) -> None:
        """Have turns with whatever agent the session has."""
        self._session = session
        self.db, self.journal = session.db, session.journal
        self.preface = ""
        self.prepare()

    def prepare(self) -> None:
        """Put the configuration's prompt in front of the first turn; a recorded conversation has had it."""
        plan = self._session.plan
        had = plan.loaded and bool(plan.info.title) and not plan.changed
        self.preface = "" if had else plan.preface

    async def outcome(self, turn: PromptTurn) -> Frame:
        """Have the turn with the agent, within the limits."""
        return await self._session.patience.outcome(turn, lambda: self._exchange(turn))

    def stop(self, turn: PromptTurn) -> None:
        """Make a running turn that was cancelled end."""
        self._session.questions.cancel()
        self._session.patience.look_again()
        if turn.dispatched:
            self.send_aside(self._cancel_frame())

    async def turn_ended(self) -> None:
        """Keep the time of the last turn."""
        await self._session.metadata.note()

    def send_aside(self, frame: Frame) -> None:
        """Send the agent a notification without waiting: one that does not read holds nobody up."""
        turns = self._session.working()
        if not turns.ended:
            turns.tasks.start_soon(self._sent, frame)

    async def _exchange(self, turn: PromptTurn) -> Frame:
        session = self._session
        await session.outlet.turn_begins()
        if not session.metadata.info.title:
            await session.metadata.note(title=prompt_title(turn.asked))
        frame = adapted(turn.asked, session.agent.info.abilities).with_session(session.agent_session)
        if self.preface:
            frame, self.preface = with_preface(frame, self.preface), ""
        session.listener.loading = False
        asked = await session.agent.prompt(frame)
        turn.dispatched = True
        if turn.cancelled:
            await self._sent(self._cancel_frame())
        return await asked.settled()

    def _cancel_frame(self) -> Frame:
        return Frame.of("session/cancel", {"sessionId": self._session.agent_session})

    async def _sent(self, frame: Frame) -> None:
        agent = self._session.agent
        try:
            with anyio.move_on_after(self._session.tools.limits.control_s):
                await (agent.cancel(frame) if frame.method == "session/cancel" else agent.notify(frame))
        except Disconnected:
            _LOG.debug("session %s: the agent was gone before %s", self._session.plan.info.id, frame.method)
