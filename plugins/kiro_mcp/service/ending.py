"""Ends sessions: each by itself, to its end, and one that survives stays where it can be seen and ended again."""

from __future__ import annotations

import logging

import anyio

from kiro_core.errors import SessionNotFound
from kiro_core.messages import about
from kiro_core.rpc import result
from kiro_mcp.service.failing import failure_of
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.live import Live

_LOG = logging.getLogger(__name__)


class Ending:
    """Ends what hosts end, and what nobody has used for long enough."""

    def __init__(self, ground: Ground) -> None:
        """End sessions of the table."""
        self._desk = ground.desk
        self._agent = ground.agent
        self._table = ground.table
        self._bells = ground.bells
        self._tasks = ground.tasks
        self._idle_s = ground.options.session_idle_s

    async def end(self, live: Live) -> None:
        """End a session, also when the caller is cancelled meanwhile; whoever else wants that waits for the same end.

        Raises:
            ToolFailure: it did not end.

        """
        if live.ending != "ending":
            self._begin(live)
        ended = live.ended
        await ended.wait()
        if live.failure is not None:
            raise failure_of(live.failure) from live.failure

    def leave(self, live: Live) -> None:
        """End a session that nobody can use any more, as soon as its turns and questions have ended."""
        self._tasks.start_soon(self._end_unused, live)

    async def _end_unused(self, live: Live) -> None:
        await live.unused()
        # Somebody may have loaded it meanwhile, or ended it.
        if self._table.lives.get(live.id) is live and live.left and not live.ending:
            _LOG.info("session %s ends: the connection that had it is gone", live.id)
            self._begin(live)

    async def expire(self) -> None:
        """End each session that nobody has used for as long as the options say; one timer serves all."""
        while self._idle_s:
            came = self._table.came
            with anyio.move_on_after(self._next_look()):
                await came.wait()

    def _next_look(self) -> float:
        """End what is due, and say in how many seconds something else may be."""
        now = anyio.current_time()
        soonest = now + self._idle_s
        for live in tuple(self._table.lives.values()):
            if live.ending or live.in_use:
                continue
            due = live.stirred + self._idle_s
            if due > now:
                soonest = min(soonest, due)
            elif not self.works(live):
                # In the same step as the look: a call that comes now finds it ending.
                _LOG.info("session %s ends: nobody has used it for %g s", live.id, self._idle_s)
                self._begin(live)
        return soonest - now

    def works(self, live: Live) -> bool:
        """Whether a turn of anybody runs or waits in it, as far as this desk knows."""
        states = (each for each in self._desk.status().get("sessions", ()) if each["sessionId"] == live.id)
        return any(each["turn"] or each["waiting"] for each in states)

    def _begin(self, live: Live) -> None:
        live.ending, live.failure, live.ended = "ending", None, anyio.Event()
        self._bells.changed()
        self._tasks.start_soon(self._close, live, live.ended)

    async def _close(self, live: Live, ended: anyio.Event) -> None:
        try:
            result(await self._agent.close(about("session/close", live.id)), "The session could not be ended")
        except SessionNotFound:
            _LOG.debug("session %s was gone before it was ended", live.id)
        except Exception as error:  # noqa: BLE001 - whoever waits for the end is told
            _LOG.warning("session %s did not end: %s", live.id, error)
            live.ending, live.failure = "ending_failed", error
            self._bells.changed()
            return
        finally:
            ended.set()
        self._table.drop(live)
