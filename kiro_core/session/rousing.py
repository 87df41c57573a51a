"""A session's way to its agent: one that has ended, or was put to sleep, is started again when it is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from kiro_core.errors import AgentTimeout, Disconnected, SessionClosing
from kiro_core.frames import Frame
from kiro_core.session.changing import first_of
from kiro_core.session.waking import Wake

if TYPE_CHECKING:
    from kiro_core.session.session import Session


class Rousing:
    """Asks the agent of a session, whichever it is at the moment."""

    def __init__(self, session: Session) -> None:
        """Ask nothing yet."""
        self._session = session
        self._wake: Wake | None = None

    async def ask(self, frame: Frame) -> Frame:
        """Send the agent a request and return its response.

        Raises:
            AgentTimeout: it did not answer in time.

        """
        await self.awake()
        limit = self._session.tools.limits.control_s
        try:
            with anyio.move_on_after(limit):
                return await self._session.agent.call(frame.with_session(self._session.agent_session))
        except Disconnected as error:
            self._session.serving = False
            raise await self._session.gone() from error
        raise AgentTimeout(f"The agent did not answer {frame.method} within {limit:g} s.")

    async def awake(self) -> None:
        """Have an agent: one that ended by itself is started again, by the ladder of recovery.

        Raises:
            LaunchFailed, AgentTimeout, AgentUnable, ...: it could not be started, or cannot go on.
            SessionClosing: the session ended meanwhile.

        """
        if self._session.serving:
            return
        if self._wake is None or self._wake.done.is_set():
            self._wake = Wake()
            self._session.send(self._wake)
        wake = self._wake
        await first_of(wake.done, self._session.ended)
        if wake.error is not None:
            raise wake.error
        if not wake.done.is_set():
            raise self._session.failure or SessionClosing("The session ended while its agent was started.")

    async def pass_on(self, frame: Frame) -> None:
        """Pass a notification on to the agent; an agent that does not read holds nobody up."""
        self._session.exchange.send_aside(frame.with_session(self._session.agent_session))
