"""What the children of a run use while they are at work, so that a limit holds in the midst of a turn too."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from kiro_core.crew.usage import Using
from kiro_core.types import NO_USAGE, Usage

if TYPE_CHECKING:
    from kiro_core.frames import Frame


class Spending:
    """What is told by sessions whose attempts have not settled."""

    def __init__(self, more: Callable[[], None]) -> None:
        """Nothing is told yet; `more` is called when it is more."""
        self._more = more
        self._sessions: dict[str, Using] = {}

    @property
    def usage(self) -> Usage:
        """All of it."""
        return sum((using.usage for using in self._sessions.values()), NO_USAGE)

    def begin(self, session: str) -> None:
        """Have a session counted."""
        self._sessions[session] = Using()

    def end(self, session: str) -> None:
        """Its attempt has settled, with what its record says."""
        self._sessions.pop(session, None)

    def saw(self, frames: Sequence[Frame]) -> None:
        """Some of these notifications may be of such a session."""
        told = [self._sessions[frame.session].update(frame) for frame in frames if frame.session in self._sessions]
        if any(told):
            self._more()
