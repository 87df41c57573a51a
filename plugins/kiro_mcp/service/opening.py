"""Opens sessions: none is left behind that nobody wants any more, and each is watched until it ends."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import Any

from kiro_core.errors import Disconnected, KiroError
from kiro_core.frames import Frame
from kiro_core.rpc import result
from kiro_core.types import SessionId, SessionInfo
from kiro_mcp.service.asking import MARK, new_session, resume
from kiro_mcp.service.ending import Ending
from kiro_mcp.service.errands import seen_through
from kiro_mcp.service.failing import ToolFailure
from kiro_mcp.service.ground import Ground
from kiro_mcp.service.hosts import Host
from kiro_mcp.service.live import Live
from kiro_mcp.service.showing import utc_now

_LOG = logging.getLogger(__name__)
_NEVER = 2**62
"""No record has such a number: who watches behind it only learns when the session ends."""
_FAILED = "The session could not be opened"


def folder(base: str, path: str = "") -> str:
    """The absolute path of a working directory; a relative one is below `base`, and that is by default the current one.

    Raises:
        ToolFailure: INVALID_CONFIG, it is no folder.

    """
    whole = os.path.abspath(Path(Path.cwd(), Path(base).expanduser(), path))  # noqa: PTH100 - `resolve` follows links
    if not Path(whole).is_dir():
        raise ToolFailure(
            "INVALID_CONFIG",
            f"There is no folder {whole} for the session to work in.",
            hint="Name one that exists as working_directory.",
            details={"working_directory": whole},
        )
    return whole


class Opening:
    """Begins sessions and goes on with stored ones."""

    def __init__(self, ground: Ground, ending: Ending) -> None:
        """Put what is open into the table; what nobody wants any more is ended."""
        self._desk = ground.desk
        self._agent = ground.agent
        self._table = ground.table
        self._tasks = ground.tasks
        self._ending = ending

    async def new(self, host: Host, cwd: str, *, agent: str, engine: str) -> Live:
        """Begin a session for a host.

        Raises:
            KiroError, ToolFailure: it cannot be had.

        """
        return await seen_through(self._tasks, partial(self._new, host, cwd, agent, engine), self._unwanted)

    async def stored(self, host: Host, info: SessionInfo, cwd: str) -> Live:
        """Go on with a stored session; one that is open here already is shared.

        Raises:
            KiroError, ToolFailure: it cannot be had.

        """
        if (live := self._table.lives.get(info.id)) is None:
            return await seen_through(self._tasks, partial(self._stored, host, info, cwd), self._unwanted)
        return self._given(host, live)

    async def _new(self, host: Host, cwd: str, agent: str, engine: str) -> Live:
        with self._table.room():
            opened = result(await self._agent.new(new_session(cwd, agent=agent, engine=engine)), _FAILED)
            # No wait from the answer to here: what the session says from now on must find it.
            return self._add(host, Live(str(opened["sessionId"]), _chosen(opened), cwd, utc_now()))

    async def _stored(self, host: Host, info: SessionInfo, cwd: str) -> Live:
        with self._table.room():
            answer: Frame = await self._agent.open(resume(info, cwd), replay=False)
            opened = result(answer, _FAILED)
            if (there := self._table.lives.get(info.id)) is not None:  # two at a time wanted it
                return self._given(host, there)
            return self._add(host, Live(info.id, _chosen(opened), cwd, info.created, info.title))

    def _add(self, host: Host, live: Live) -> Live:
        self._table.add(live)
        self._tasks.start_soon(self._watch, live)
        return self._given(host, live)

    def _given(self, host: Host, live: Live) -> Live:
        live.wanted += 1
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

    async def _unwanted(self, live: Live) -> None:
        """End a session that nobody has got."""
        live.wanted -= 1
        if not live.wanted:
            await self._ending.end(live)


def _chosen(opened: Mapping[str, Any]) -> Mapping[str, Any]:
    meta = opened.get("_meta")
    ours = meta.get(MARK) if isinstance(meta, dict) else None
    return ours if isinstance(ours, dict) else {}
