"""What the agent meets in a chat: it is shown to the person, and the person is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from kiro_core.cli.asking import permission, refuses_trust
from kiro_core.cli.chat.narration import Narration
from kiro_core.cli.chat.screen import Screen
from kiro_core.cli.chat.told import Told
from kiro_core.cli.text import one_line
from kiro_core.cli.wording import question_line
from kiro_core.frames import Frame
from kiro_core.notices import ALONE
from kiro_core.types import PeerInfo
from kiro_core.version import __version__


class ChatClient:
    """Implements `Client`; `denied` tells whether a question was, since it was set to False.

    `untrusting` tells that the person has refused already to trust the folder.
    """

    def __init__(self, screen: Screen, follow: Callable[[dict[str, Any]], None]) -> None:
        """Show on `screen`; `follow` is given every update of a session that is shown."""
        self.info: Final = PeerInfo("kiro-core chat", __version__, frozenset({"notices", "configOptions", ALONE}))
        self.denied: bool = False
        self.replaying = False
        self.untrusting = False
        self._screen = screen
        self._follow = follow
        self._narration = Narration()
        self._left: set[str] = set()

    def leave(self, session: str) -> None:
        """Show nothing more of a session."""
        self._left.add(session)

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`."""
        for frame in frames:
            update = frame.params.get("update")
            if frame.method == "session/update" and isinstance(update, dict) and frame.session not in self._left:
                self._follow(update)
                for told in self._narration.follow(update, replaying=self.replaying):
                    await self._screen.show(told)

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`; where nobody can be asked the desk denies."""
        if self.untrusting and (refusal := refuses_trust(frame)) is not None:
            return refusal
        verdict = await permission(frame, self._screen.person)
        if verdict.outcome == "denied":
            self.denied = True
        if self._screen.person is None:
            outcome = f"{verdict.outcome}, since nobody is here who could be asked"
            await self._screen.show(Told("notice", question_line(one_line(verdict.title), outcome)))
        return verdict.answer
