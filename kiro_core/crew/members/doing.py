"""How a task is done in the session of its member: that is opened, prompted, put right on the way, and closed."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

import anyio

from kiro_core.crew.answering import answered
from kiro_core.crew.ground import Ground
from kiro_core.crew.live import Seat
from kiro_core.crew.members.prompting import prompt_of
from kiro_core.crew.members.roster import Entry
from kiro_core.crew.said import Result
from kiro_core.errors import KiroError, SessionNotFound
from kiro_core.frames import Frame
from kiro_core.notices import MARK
from kiro_core.rpc import result

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
        self.hops = place.hops
        self._is_open = False
        self.is_done = False
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
            frame = Frame.of("session/set_model", {"sessionId": session, "modelId": model}, id=0)
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
            await self._seat.cancel(Frame.of("session/cancel", {"sessionId": self._entry.session}, id=None))
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
                await self._seat.close(Frame.of("session/close", {"sessionId": live.id}, id=0))
            except KiroError as error:
                _LOG.info("the session %s did not end as it should: %s", live.id, error)

    async def _open(self) -> None:
        place, session = self._place, self._entry.session
        params: dict[str, Any] = {"cwd": place.cwd, "mcpServers": [], "additionalDirectories": list(place.roots)}
        if self._entry.kept.tasks > 1 or self._ground.live(session) is not None:
            try:
                frame = Frame.of("session/resume", {**params, "sessionId": session}, id=0)
                result(await self._seat.open(frame, replay=False), "Its session could not be opened again")
            except SessionNotFound:
                _LOG.info("the session %s is begun anew: nothing is on record of it", session)
            else:
                return
        wishes: dict[str, Any] = {"parent": self._entry.parent, "name": place.name}
        if self._entry.kept.agent:
            wishes |= {"agent": self._entry.kept.agent, "agentRequired": True}
        if place.engine:
            wishes["engine"] = place.engine
        frame = Frame.of("session/new", {**params, "_meta": {MARK: wishes}}, id=0)
        result(await self._seat.begin(frame, session), "Its session could not be opened")
