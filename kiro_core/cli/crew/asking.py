"""Asks the person at the terminal what the agents of a run want to know, and what becomes of what was cut off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from kiro_core.cli.asking import Person, permission
from kiro_core.cli.crew.drawing import Display
from kiro_core.frames import Frame
from kiro_core.types import PeerInfo
from kiro_core.version import __version__

_OPTIONS = [
    {"optionId": "rerun", "name": "Run it again"},
    {"optionId": "skip", "name": "Go on without it"},
    {"optionId": "", "name": "Leave it for later"},
]


class Asking:
    """Implements `Client` for the questions of all children; `stages` are their stages by session."""

    def __init__(self, person: Person, display: Display) -> None:
        """Ask the person; the display makes room for that."""
        self.info: Final = PeerInfo("kiro-core crew", __version__)
        self.stages: Mapping[str, str] = {}
        self._person = person
        self._display = display

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`; what agents say is on their records."""

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`."""
        with self._display.paused():
            return (await permission(self._named(frame), self._person)).answer

    def _named(self, frame: Frame) -> Frame:
        """A question with the stage in front of its title."""
        call, stage = frame.params.get("toolCall"), self.stages.get(frame.session or "")
        if not stage or not isinstance(call, dict):
            return frame
        title = f"{stage}: {call.get('title') or call.get('kind') or 'a tool'}"
        return Frame.of(frame.method or "", {**frame.params, "toolCall": {**call, "title": title}}, id=0)


async def choices(person: Person, stages: Sequence[str]) -> tuple[list[str], list[str]]:
    """Which of the stages that were cut off are to run again, and which are left out."""
    rerun: list[str] = []
    skip: list[str] = []
    for stage in stages:
        title = f"The stage {stage} was cut off, and nobody knows how far it came."
        chosen = await person.choose(title, _OPTIONS)
        kind = chosen["optionId"] if chosen is not None else ""
        if kind:
            (rerun if kind == "rerun" else skip).append(stage)
    return rerun, skip
