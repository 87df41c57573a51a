"""Opens sessions: none is left behind that nobody wants any more, and each is watched until it ends."""

from __future__ import annotations

import logging
import os.path
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

from kiro_core.errors import Disconnected, KiroError
from kiro_core.messages import MARK, new_session, open_session
from kiro_core.rpc import result
from kiro_core.types import SessionId, SessionInfo
from kiro_mcp.service.ending import Ending
from kiro_mcp.service.errands import Errands
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.folders import folder
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.live import Live
from kiro_mcp.service.showing import utc_now

_LOG = logging.getLogger(__name__)
_NEVER = 2**62
"""No record has such a number: who watches behind it only learns when the session ends."""
_FAILED = "The session could not be opened"


class Opening:
    """Begins sessions and goes on with stored ones."""

    def __init__(self, ground: Ground, ending: Ending) -> None:
        """Put what is open into the table; what nobody wants any more is ended."""
        self._desk = ground.desk
        self._agent = ground.agent
        self._options = ground.options
        self._table = ground.table
        self._tasks = ground.tasks
        self._ending = ending
        self._errands = Errands[Live](ground.tasks)

    async def new(self, host: Host, cwd: str, *, agent: str, engine: str) -> Live:
        """Begin a session for a host.

        Raises:
            KiroError, ToolFailure: it cannot be had.

        """
        live = await self._errands.seen_through(partial(self._new, cwd, agent, engine), partial(self._unwanted, host))
        return self._given(host, live)

    async def stored(self, host: Host, info: SessionInfo, cwd: str = "") -> Live:
        """Go on with a stored session, in its own folder unless another one is named.

        One that the host has open here, or that all hosts see, is shared; one that is being ended is opened anew.

        Raises:
            KiroError, ToolFailure: it cannot be had; SESSION_BUSY, another host has it; INVALID_CONFIG, there is no
                such folder, or it is open in another one.

        """
        live = self._table.lives.get(info.id)
        if live is not None and live.ending == "ending":
            await live.ended.wait()
            live = self._table.lives.get(info.id)
        if live is None:
            work = partial(self._stored, info, cwd or str(folder(self._options, info.cwd)))
            live = await self._errands.seen_through(work, partial(self._unwanted, host), info.id)
            if not live.hosts:
                self._given(host, live)  # also where it is refused below: it was opened for nobody else
        self._require_free(host, live)
        if cwd:
            _require_folder(live, cwd)
        return self._given(host, live)

    async def _new(self, cwd: str, agent: str, engine: str) -> Live:
        with self._table.room():
            opened = result(await self._agent.new(new_session(cwd, agent=agent, engine=engine)), _FAILED)
            # No wait from the answer to here: what the session says from now on must find it.
            return self._add(Live(str(opened["sessionId"]), _chosen(opened), cwd, utc_now()))

    async def _stored(self, info: SessionInfo, cwd: str) -> Live:
        with self._table.room():
            opened = result(await self._agent.open(open_session(info.id, cwd, roots=info.roots), replay=False), _FAILED)
            return self._add(Live(info.id, _chosen(opened), cwd, info.created, info.title))

    def _add(self, live: Live) -> Live:
        self._table.add(live)
        self._tasks.start_soon(self._watch, live)
        return live

    def _require_free(self, host: Host, live: Live) -> None:
        if self._options.sessions == "own" and live.hosts and host not in live.hosts:
            raise ToolFailure(
                "SESSION_BUSY",
                f"The session {live.id} is open in another connection to this server.",
                hint='End it there; with the setting sessions = "all" all connections share what is open.',
                details={"session_id": live.id},
            )

    def _given(self, host: Host, live: Live) -> Live:
        self._table.give(live, host)
        return live

    async def _watch(self, live: Live) -> None:
        """Notice that a session has ended, whoever ended it."""
        with live.watching:
            try:
                async with aclosing(self._desk.watch(SessionId(live.id), _NEVER)) as records:
                    async for _ in records:
                        pass
            except Disconnected as error:
                _LOG.info("session %s: nobody tells when it ends: %s", live.id, error)
                return
            except KiroError as error:
                _LOG.info("session %s: it counts as ended: %s", live.id, error)
            self._table.drop(live)

    async def _unwanted(self, host: Host, live: Live) -> None:
        """End a session that nobody has got."""
        if not live.hosts:
            self._given(host, live)  # should it survive, its host sees it and can end it again
            await self._ending.end(live)


def _require_folder(live: Live, cwd: str) -> None:
    if os.path.realpath(cwd) != os.path.realpath(live.cwd):
        raise ToolFailure(
            "INVALID_CONFIG",
            f"The session {live.id} is open in the folder {live.cwd}.",
            hint="Leave working_directory out, or end the session first: kiro_session_end.",
            details={"session_id": live.id, "working_directory": live.cwd},
        )


def _chosen(opened: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = opened.get("_meta")
    ours = meta.get(MARK) if isinstance(meta, dict) else None
    return ours if isinstance(ours, dict) else {}
