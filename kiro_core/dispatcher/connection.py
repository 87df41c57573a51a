"""One client's agent: it finds whose session a request is for."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from kiro_core.dispatcher.requests import prompt_of, session_of
from kiro_core.errors import RpcError, SessionBusy, SessionNotFound
from kiro_core.frames import Frame
from kiro_core.ports import Client, Turn
from kiro_core.rpc import INVALID_PARAMS, METHOD_NOT_FOUND
from kiro_core.session import Session
from kiro_core.types import PeerInfo, SessionInfo, SessionQuery

if TYPE_CHECKING:
    from kiro_core.dispatcher.desk import Dispatcher

_PASSED = frozenset({"session/set_config_option", "session/set_mode", "session/set_model"})
"""Requests about options of the agent's own, which its answer to the opening offers."""

_ABILITIES = frozenset({"load", "list", "close"})


class Connection:
    """Implements `Agent` for one attached client."""

    def __init__(self, desk: Dispatcher, client: Client) -> None:
        """Speak for the desk to `client`."""
        self.info = PeerInfo("kiro_core", version("kiro-core"), _ABILITIES)
        self._desk = desk
        self._client = client

    async def new(self, frame: Frame) -> Frame:
        """See `Agent.new`; answers when the agent is ready."""
        return await self._desk.start(await self._desk.planner.fresh(frame), self._client)

    async def open(self, frame: Frame, *, replay: bool) -> Frame:
        """See `Agent.open`; a session that is live here changes to this client."""
        id_ = session_of(frame)
        session = self._desk.live.get(id_)
        if session is None:
            info = await self._desk.info(id_)
            return await self._desk.start(await self._desk.planner.stored(frame, info, replay=replay), self._client)
        if not session.ready:
            raise SessionBusy("The session is being opened already.", hint="Wait for its answer.")
        held_for = session.join(self._client)
        try:
            if replay:
                await session.replay(self._client)
            return session.answer
        finally:
            # Also when it failed or was taken back: nothing else would end the hold.
            self._desk.release(session, held_for)

    async def prompt(self, frame: Frame) -> Turn:
        """See `Agent.prompt`."""
        prompt_of(frame)
        return await self._session(frame).prompt(frame)

    async def cancel(self, frame: Frame) -> None:
        """See `Agent.cancel`."""
        await self._session(frame).cancel()

    async def close(self, frame: Frame) -> Frame:
        """See `Agent.close`; a session that is not live has nothing left to end."""
        id_ = session_of(frame)
        session = self._desk.live.get(id_)
        if session is None:
            await self._desk.info(id_)
        else:
            await session.close()
        return Frame.answer({})

    async def list(self, frame: Frame) -> Frame:
        """See `Agent.list`."""
        cwd, cursor = frame.params.get("cwd"), frame.params.get("cursor")
        if not isinstance(cwd, str | None) or not isinstance(cursor, str | None):
            raise RpcError(INVALID_PARAMS, "session/list takes cwd and cursor as strings.")
        try:
            page = await self._desk.sessions(SessionQuery(cwd or ""), cursor)
        except ValueError as error:
            raise RpcError(INVALID_PARAMS, f"session/list: {error}") from error
        answer: dict[str, Any] = {"sessions": [_listed(info) for info in page.items]}
        return Frame.answer({**answer, "nextCursor": page.cursor} if page.cursor else answer)

    async def call(self, frame: Frame) -> Frame:
        """See `Agent.call`; extension methods (`_...`) and options of a session go to its agent."""
        if frame.session and ((frame.method or "").startswith("_") or frame.method in _PASSED):
            return await self._session(frame).call(frame)
        raise RpcError(METHOD_NOT_FOUND, f"There is no method {frame.method} here.")

    async def notify(self, frame: Frame) -> None:
        """See `Agent.notify`; the same for notifications."""
        if frame.session and (frame.method or "").startswith("_"):
            await self._session(frame).pass_on(frame)

    def _session(self, frame: Frame) -> Session:
        id_ = session_of(frame)
        session = self._desk.live.get(id_)
        if session is None:
            raise SessionNotFound(
                f"No session {id_} is open here.", hint="Load it first: session/load.", session_id=id_
            )
        return session


def _listed(info: SessionInfo) -> dict[str, Any]:
    title = {"title": info.title} if info.title else {}
    return {"sessionId": info.id, "cwd": info.cwd, **title, "updatedAt": info.updated}
