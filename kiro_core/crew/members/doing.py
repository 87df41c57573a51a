"""How a task is done in the session of its member: that is opened, prompted, put right on the way, and closed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

import anyio

from kiro_core import messages
from kiro_core.crew.answering import answered
from kiro_core.crew.members.prompting import prompt_of
from kiro_core.errors import KiroError, SessionNotFound
from kiro_core.rpc import result

if TYPE_CHECKING:
    from kiro_core.crew.ground import Ground
    from kiro_core.crew.live import Seat
    from kiro_core.crew.members.roster import Entry
    from kiro_core.crew.said import Result

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a task is done: in which folders, with which engine, in a session of which name, below whom.

    `hops` is how many letters led to it.
    """

    cwd: str
    roots: tuple[str, ...]
    engine: str
    name: str
    parent: str
    hops: int = 0


class Doing:
    """One task; `is_done` when it has come to something, and no prompt follows, and `hops` as in its last prompt."""

    def __init__(self, ground: Ground, seat: Seat, entry: Entry, place: Place) -> None:
        """Open nothing yet; `seat` is the agent of whoever prompts members."""
        self._ground = ground
        self._seat = seat
        self._entry = entry
        self._place = place
        self.hops: int = place.hops
        self._is_open = False
        self.is_done: bool = False
        self._next: list[str] = []

    async def done(self, before: list[Entry]) -> Result | None:
        """What it came to; None where nobody knows.

        Raises:
            KiroError: the session cannot be had, or its record cannot be read.

        """
        try:
            return await self._came_to(before)
        finally:
            self.is_done = True

    async def _came_to(self, before: list[Entry]) -> Result | None:
        await self._open()
        session, entry = self._entry.session, self._entry
        if model := entry.kept.model:
            frame = messages.about("session/set_model", session, modelId=model)
            result(await self._seat.call(frame), f"The model {model!r} cannot be had")
        prompt = prompt_of(entry, self._place.parent, before, has_tools=self._ground.has_tools(session))
        prompt, self._next = "\n\n".join([prompt, *self._next]), []
        self._is_open = True
        while True:
            came = await answered(self._ground, self._seat, session, entry.key, prompt, hops=self.hops)
            if not self._next:
                return came
            prompt, self._next = "\n\n".join(self._next), []

    async def interrupt(self, text: str, hops: int) -> bool:
        """Cancel the turn that runs, and go on with another prompt, to which so many letters led; False when done."""
        if self.is_done:
            return False
        self._next.append(text)
        self.hops = hops
        if self._is_open:
            await self._seat.cancel(messages.cancel(self._entry.session))
        return True

    async def end(self, *, by_force: bool) -> None:
        """Let go of the session, which ends unless a person works in it, or in any case `by_force`."""
        live = self._ground.live(self._entry.session)
        if live is None:
            return
        with anyio.move_on_after(self._ground.settings.limits.control_s):
            try:
                if by_force:
                    await live.close()
                    return
                if not live.attended:
                    await live.inbox.expire()
                await self._seat.close(messages.close(live.id))
            except KiroError as error:
                _LOG.info("the session %s did not end as it should: %s", live.id, error)

    async def _open(self) -> None:
        place, session = self._place, self._entry.session
        if self._entry.kept.tasks > 1 or self._ground.live(session) is not None:
            try:
                frame = messages.open_session(session, place.cwd, roots=place.roots)
                result(await self._seat.open(frame, replay=False), "Its session could not be opened again")
            except SessionNotFound:
                _LOG.info("the session %s is begun anew: nothing is on record of it", session)
            else:
                return
        frame = messages.new_session(
            place.cwd,
            roots=place.roots,
            agent=self._entry.kept.agent,
            engine=place.engine,
            name=place.name,
            parent=self._entry.parent,
        )
        result(await self._seat.begin(frame, session), "Its session could not be opened")
