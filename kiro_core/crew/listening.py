"""The client of all children of a run: it keeps what each does at the moment, and passes on what they ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from kiro_core.frames import Frame
from kiro_core.journal import text_of
from kiro_core.notices import UNATTENDED
from kiro_core.rpc import METHOD_NOT_FOUND
from kiro_core.types import PeerInfo
from kiro_core.version import __version__

if TYPE_CHECKING:
    from kiro_core.ports import Client

_LONGEST = 120
_TITLED = {"tool_call": "tool", "tool_call_update": "tool", "notice": "notice"}
_DOES = {"agent_thought_chunk": "thinks", "plan": "plans"}


class Listening:
    """Implements `Client`."""

    def __init__(
        self, asked: Client | None, heard: Callable[[str, str], None], seen: Callable[[Sequence[Frame]], None]
    ) -> None:
        """Have `asked` answer questions, if there is somebody; `heard` gets a session and a line that says what it did.

        `seen` gets all that the children tell.
        Who controls a session above the run is asked in its place, see `UNATTENDED`.
        """
        self.info: Final = PeerInfo("kiro_core crew", __version__, frozenset({"notices", UNATTENDED}))
        self._asked = asked
        self._heard = heard
        self._seen = seen
        self._saying: dict[str, str] = {}

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`; of each session the last that can be put into words counts."""
        self._seen(frames)
        for session in {frame.session for frame in frames if frame.session}:
            lines = [self._line(session, frame) for frame in frames if frame.session == session]
            if line := next(filter(None, reversed(lines)), ""):
                self._heard(session, line)

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`; the desk says no where nobody can be asked."""
        if self._asked is None:
            return Frame.failure(METHOD_NOT_FOUND, f"Nobody can be asked here for {frame.method}.")
        call = frame.params.get("toolCall")
        title = call.get("title") if isinstance(call, dict) else frame.params.get("message")
        self._heard(frame.session or "", _short(f"asks: {title or frame.method}"))
        return await self._asked.request(frame)

    def _line(self, session: str, frame: Frame) -> str:
        """What an update says, in a few words; empty for what says nothing to a person.

        What an agent says comes in pieces: the last line of it so far counts, of a long one its end.
        """
        update = frame.params.get("update")
        if frame.method != "session/update" or not isinstance(update, dict):
            return ""
        kind, title = update.get("sessionUpdate"), update.get("title")
        if kind == "agent_message_chunk":
            said = self._saying.get(session, "") + text_of(update.get("content"))
            line = next(filter(str.strip, reversed(said.splitlines())), "")
            self._saying[session] = "" if said.endswith("\n") else line[-_LONGEST:]
            return _short(line[-_LONGEST:])
        line = _short(f"{_TITLED[kind]}: {title}") if kind in _TITLED and title else _DOES.get(str(kind), "")
        if line:
            self._saying.pop(session, None)
        return line


def _short(text: Any) -> str:
    return " ".join(str(text).split())[:_LONGEST]
