"""Which runs a session has asked for and was not told of: its metadata have them, so that a crash loses none."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from kiro_core.crew.members import results
from kiro_core.crew.members.roster import roster_of
from kiro_core.crew.posting import post
from kiro_core.errors import Held, KiroError, SessionNotFound
from kiro_core.types import Letter, SessionId, SessionInfo

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.members.trees import Trees
    from kiro_core.ports.crews import Crews

_LOG = logging.getLogger(__name__)


class Owed:
    """The runs of all sessions of a desk."""

    def __init__(self, ground: Ground, trees: Trees, crews: Crews) -> None:
        """Owe nothing yet."""
        self._ground = ground
        self._trees = trees
        self._crews = crews
        self._told: set[SessionId] = set()

    async def begun(self, session: str, run: SessionId) -> None:
        """A session that is open here has asked for a run; durable on return.

        Raises:
            Unavailable, Fenced: it is not on record.

        """
        if (live := self._ground.live(session)) is not None:
            roster = self._trees.roster(live)
            roster.runs.append(run)
            await results.keep(self._ground, roster)

    async def ended(self, session: SessionId, run: SessionId) -> None:
        """A run is not driven any more: one that has ended is told, or told to whoever waits for it; never raises."""
        from kiro_core.crew.record import past_of

        with suppress(KiroError):
            if (await past_of(self._ground.store.read(run), run)).is_over:
                self._told.add(run)
                await self._forget(session)

    async def opening(self, info: SessionInfo) -> None:
        """A session is about to be opened: tell it what became of runs that were cut off; never raises."""
        with anyio.move_on_after(self._ground.settings.limits.control_s), suppress(KiroError):
            if (runs := roster_of(info).runs) and not await self._ground.store.holder(info.id):
                for run in runs:
                    await self._tell(info.id, run)

    async def opened(self, session: SessionId) -> None:
        """It is open: what it was told is owed no more; never raises."""
        with suppress(KiroError):
            await self._forget(session)

    async def _tell(self, session: SessionId, run: SessionId) -> None:
        """Have its report delivered when it ends, and say where it goes on; one that has a driver needs only time."""
        from kiro_core.crew.record import past_of

        try:
            if (await self._ground.store.get(run)).parent == session:  # metadata may be anybody's
                await self._crews.deliver(run)
                if not (await past_of(self._ground.store.read(run), run)).is_over:
                    await post(self._ground, session, _cut_off(run))
        except SessionNotFound:
            _LOG.info("the session %s has no run %s", session, run)
        except Held:
            return
        self._told.add(run)

    async def _forget(self, session: SessionId) -> None:
        live = self._ground.live(session)
        if live is not None and live.ready:
            roster = self._trees.roster(live)
            left = [run for run in roster.runs if run not in self._told]
            if left != roster.runs:
                roster.runs[:] = left
                await results.keep(self._ground, roster)


def _cut_off(run: SessionId) -> Letter:
    text = (
        f"The run {run} was cut off. A person can go on with it: kiro-core crew resume {run}. "
        "Its report comes when it has ended."
    )
    about = {"session": run, "name": run, "outcome": "unknown", "kind": "run"}
    return Letter(f"{run}:cut-off", sender=run, name=run, kind="result", text=text, hops=1, about=about)
