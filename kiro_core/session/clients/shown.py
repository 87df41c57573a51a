"""What the clients of a session are shown, before it is put into the form that each of them understands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from kiro_core.frames import Frame, Run
from kiro_core.journal import user_message
from kiro_core.notices import at_next_turn, at_once
from kiro_core.types import Notice, PeerInfo, SessionId


@dataclass(frozen=True, slots=True)
class Said:
    """A prompt whose turn begins, or ends without having begun: shown to all but the client that wrote it."""

    turn: str
    prompt: Frame


Item: TypeAlias = Frame | Run | Notice | Said
"""A message as it is, many of them, a notice, or a prompt."""


class Rendering:
    """Puts items into the form for one client; a notice that it cannot take now waits for its next turn."""

    def __init__(self, session: SessionId, client: PeerInfo) -> None:
        """Begin with nothing `untold`; `wrote` are the turns whose prompts the client wrote itself."""
        self.untold: list[tuple[int, Notice]] = []
        self.wrote: set[str] = set()
        self._session = session
        self._client = client

    def forget_behind(self, cursor: int) -> None:
        """Drop what is on record behind that number: it is read there."""
        self.untold = [(seq, notice) for seq, notice in self.untold if seq <= cursor]

    def frames(self, item: Item, seq: int, *, in_turn: bool) -> Sequence[Frame]:
        """The messages for the client about something in record number `seq`, or in none (0)."""
        if isinstance(item, Run):
            return item
        if isinstance(item, Frame):
            return (item,)
        if isinstance(item, Notice):
            return self._notice(item, seq, in_turn=in_turn)
        said = [] if item.turn in self.wrote else user_message(item.prompt, self._session, item.turn)
        return [*self._told_late(), *said]

    def _notice(self, notice: Notice, seq: int, *, in_turn: bool) -> Sequence[Frame]:
        frame = at_once(notice, self._client, self._session)
        if frame is None and in_turn:
            frame = at_next_turn(notice, self._session)
        if frame is None:
            self.untold.append((seq, notice))
            return ()
        return (frame,)

    def _told_late(self) -> list[Frame]:
        notices, self.untold = self.untold, []
        return [at_next_turn(notice, self._session) for _, notice in notices]
