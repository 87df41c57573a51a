"""Where the sessions of a client are: whichever desk holds one has it, and when that desk ends, another one."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import anyio
from anyio.abc import TaskGroup

from kiro_core.control import socket_of
from kiro_core.dispatcher.connection import Connection
from kiro_core.dispatcher.other_desks import OtherDesk, OtherDesks
from kiro_core.dispatcher.requests import session_of
from kiro_core.dispatcher.served import ServedDesk
from kiro_core.errors import AuthRequired, Disconnected, Held, SessionClosing, SessionNotFound
from kiro_core.frames import Frame
from kiro_core.messages import MARK
from kiro_core.notices import at_next_turn, at_once
from kiro_core.ports import Agent, Client
from kiro_core.rpc import result
from kiro_core.types import Notice, SessionId

if TYPE_CHECKING:
    from kiro_core.dispatcher.desk import Dispatcher

_LOG = logging.getLogger(__name__)
_NONE: Mapping[str, Any] = MappingProxyType({})
_ENDS = "the served desk (pid %s) ends, and the session is opened in this process: %s"
_MOVED = Notice("desk_gone", "The process that had this session has ended; the session goes on from its record.")


@dataclass(frozen=True, slots=True)
class _Home:
    """Where a session is that is not here, and with which params it was opened.

    It stays known while the session moves on from a desk that has ended: whoever asks meanwhile waits for `moving`.
    """

    desk: OtherDesk
    params: Mapping[str, Any]
    moving: anyio.Lock = field(default_factory=anyio.Lock)


class Homes:
    """The sessions of one client that are in other desks, by their ids."""

    def __init__(self, desk: Dispatcher, local: Connection, client: Client, tasks: TaskGroup) -> None:
        """Whatever is nowhere else is for `local`; connections to other desks are in `tasks`."""
        self.login_at: Agent = local
        self._desk = desk
        self._local = local
        self._client = client
        self._tasks = tasks
        self._others = OtherDesks(client, tasks)
        self._served = ServedDesk(desk, self._others)
        self._homes: dict[str, _Home] = {}

    async def begin(self, frame: Frame) -> Frame:
        """The answer to a request for a new session: of the served desk, if one runs that takes any.

        Raises:
            KiroError: as `Agent.new` says.

        """
        if (served := await self._served.found()) is not None:
            try:
                return await self._opened(served, frame)
            except (Disconnected, SessionClosing) as error:
                if not await served.ends():
                    raise
                _LOG.warning(_ENDS, served.hello.get("pid"), error)
        return await self._local.new(frame)

    async def open(self, frame: Frame, *, replay: bool) -> Frame:
        """The answer to a request that goes on with a session, of whichever desk has it or gets it.

        Raises:
            Held: it is held by somebody who cannot be reached, or may not be.
            KiroError: as `Agent.open` says.

        """
        session = session_of(frame)
        if session in self._desk.live or not self._desk.sharing.attach:
            return await self._here(frame, replay=replay)
        method = "session/load" if replay else "session/resume"
        frame = frame if frame.method == method else Frame.of(method, frame.params, id=0)
        try:
            return await self._taken(frame, replay=replay)
        except Held as error:
            held = error
        if (path := self._shared(held)) is not None:
            try:
                return await self._opened(await self._others.at(path), frame)
            except (Disconnected, SessionClosing, SessionNotFound) as error:
                _LOG.info("the session %s leaves its desk: %s", session, error)
                # Its lock is free a moment after its desk has stopped to answer for it.
                with anyio.move_on_after(self._desk.settings.limits.close_s):
                    await self._desk.freed(session)
        return await self._taken(frame, replay=replay)

    async def of(self, frame: Frame) -> OtherDesk | None:
        """The desk that has the session of a request, None for this one; one that has ended is replaced first.

        Raises:
            KiroError: the session cannot be opened again.

        """
        home = self._homes.get(frame.session or "")
        if home is not None and home.desk.gone:
            async with home.moving:
                if self._homes.get(frame.session or "") is home:
                    await self._move(SessionId(frame.session or ""), home)
            home = self._homes.get(frame.session or "")
        return home.desk if home is not None else None

    async def now(self, frame: Frame) -> Agent | None:
        """The agent that has the session of a request in another desk; None for a session that is not in one."""
        home = self._homes.get(frame.session or "")
        return None if home is None or home.desk.gone else await home.desk.agent()

    def forget(self, frame: Frame) -> None:
        """A session is not open any more."""
        self._homes.pop(frame.session or "", None)

    @contextmanager
    def noting_login(self, agent: Agent) -> Iterator[None]:
        """A login that is wanted in this block is one of that agent's."""
        try:
            yield
        except AuthRequired:
            self.login_at = agent
            raise

    async def _taken(self, frame: Frame, *, replay: bool) -> Frame:
        """Open a session in the served desk, which may have to end it first; here only when that desk ends."""
        deadline = anyio.current_time() + self._desk.settings.limits.control_s
        while (served := await self._served.found()) is not None:
            try:
                return await self._opened(served, frame)
            except (Disconnected, SessionClosing) as error:
                if await served.ends():
                    _LOG.warning(_ENDS, served.hello.get("pid"), error)
                    break
                if isinstance(error, Disconnected) or anyio.current_time() >= deadline:
                    raise
            with anyio.CancelScope(deadline=deadline):
                await self._desk.freed(session_of(frame))
        return await self._here(frame, replay=replay)

    async def _here(self, frame: Frame, *, replay: bool) -> Frame:
        answer = await self._local.open(frame, replay=replay)
        self.forget(frame)
        return answer

    async def _opened(self, other: OtherDesk, frame: Frame) -> Frame:
        with self.noting_login(await other.agent()):
            answer = await other.opened(self._named(frame), self._tasks)
        session = answer.result.get("sessionId") or frame.session
        if not answer.failed and session:
            self._homes[session] = _Home(other, {**frame.params, "sessionId": session})
        return answer

    async def _move(self, session: SessionId, home: _Home) -> None:
        """Open a session again whose desk has ended, behind what the client was shown of it."""
        shown = home.desk.relay.cursors.get(session)
        wishes = {} if shown is None else {"after": shown}
        frame = Frame.of("session/resume", {**home.params, **_meta(home.params, over=wishes)}, id=0)
        result(await self.open(frame, replay=False), "The session could not be opened again")
        told = at_once(_MOVED, self._client.info, session) or at_next_turn(_MOVED, session)
        await self._client.notify([told])

    def _shared(self, held: Held) -> Path | None:
        """The socket of an owner whose session we may share."""
        owner = held.details.get("owner", {})
        # A run ends with its one turn, and its desk with it: another run waits for that, or interrupts it.
        if owner.get("face") == "run" == self._desk.reception.face:
            raise held
        if "owner" not in held.details:
            raise held
        return socket_of(owner)

    def _named(self, frame: Frame) -> Frame:
        """A request for another desk: what our command line named becomes its wish, where it has none."""
        wishes = self._desk.planner.wishes
        if not wishes:
            return frame
        return Frame.of(frame.method or "", {**frame.params, **_meta(frame.params, under=wishes)}, id=0)


def _meta(
    params: Mapping[str, Any], *, under: Mapping[str, Any] = _NONE, over: Mapping[str, Any] = _NONE
) -> dict[str, Any]:
    """The `_meta` of a request, with wishes added to its own, below or above them."""
    meta = params.get("_meta")
    meta = meta if isinstance(meta, dict) else {}
    ours = meta.get(MARK)
    return {"_meta": {**meta, MARK: {**under, **(ours if isinstance(ours, dict) else {}), **over}}}
