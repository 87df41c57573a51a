"""The desk's client that all hosts are together: it takes what sessions say, and passes on what they ask."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from kiro_core.errors import KiroError
from kiro_core.frames import Frame
from kiro_core.ports import Desk
from kiro_core.types import PeerInfo, SessionId
from kiro_mcp.service.live import Live
from kiro_mcp.service.notices import Notices, notice_of
from kiro_mcp.service.questions import Questions
from kiro_mcp.service.table import Table
from kiro_mcp.service.waking import Bells

_READ = re.compile(rb'available_commands_update|session_info_update|_kiro\.dev/commands/available|"notice"')
"""What says something about a session itself; what was said in it is read from its record."""


_GENERATIONS = 20
"""Between a session and one that it had begin; a record may be anybody's."""


class HostsClient:
    """Implements `Client`."""

    info = PeerInfo("kiro_mcp", abilities=frozenset({"notices", "alone"}))

    def __init__(self, desk: Desk, table: Table, bells: Bells, questions: Questions, notices: Notices) -> None:
        """Keep what is said of the sessions of the `table`."""
        self._desk = desk
        self._table = table
        self._bells = bells
        self._questions = questions
        self._notices = notices

    async def notify(self, frames: Sequence[Frame]) -> None:
        """See `Client.notify`."""
        spoke = set[str]()
        for frame in frames:
            reads = _READ.search(frame.raw) is not None
            if reads:
                self._notice(frame)
            if (live := self._table.lives.get(frame.session or "")) is None:
                continue
            spoke.add(live.id)
            if reads:
                follow(live, frame.method or "", frame.params)
        for session in spoke:
            self._table.lives[session].stir()
            self._bells.changed(session)

    async def request(self, frame: Frame) -> Frame:
        """See `Client.request`; what a session asks that is not open here concerns the one that had it begin."""
        return await self._questions.ask(frame, await self._above(frame.session or ""))

    async def _above(self, session: str) -> str:
        """The session itself, or the nearest above it that is open here; "" for none."""
        for _ in range(_GENERATIONS):
            if not session or session in self._table.lives:
                return session
            try:
                session = (await self._desk.info(SessionId(session))).parent
            except KiroError:
                return ""
        return ""

    def _notice(self, frame: Frame) -> None:
        """Keep a notice, also of a session that is not open here yet or any more."""
        update = frame.params.get("update")
        if frame.session and isinstance(update, dict) and update.get("sessionUpdate") == "notice":
            self._notices.add(frame.session, notice_of(update))


def follow(live: Live, method: str, params: Mapping[str, Any]) -> None:
    """Take note of a session's title and of the commands that it offers: ACP's, and those that are only Kiro's."""
    update = params.get("update")
    if method == "_kiro.dev/commands/available":
        live.executed = _named(params.get("commands"))
        live.offered.set()
    elif isinstance(update, dict) and update.get("sessionUpdate") == "available_commands_update":
        live.prompted = _named(update.get("availableCommands"))
        live.offered.set()
    elif isinstance(update, dict) and update.get("sessionUpdate") == "session_info_update":
        live.title = str(update.get("title") or live.title)


def _named(commands: Any) -> dict[str, str]:
    listed = [each for each in commands if isinstance(each, dict)] if isinstance(commands, list) else []
    named = {str(each.get("name") or "").removeprefix("/"): str(each.get("description") or "") for each in listed}
    return {name: description for name, description in named.items() if name}
