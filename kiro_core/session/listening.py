"""What the agent says and asks: recorded, then shown to the session's client or answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import anyio

from kiro_core.errors import Disconnected, KiroError, RpcError
from kiro_core.frames import Frame, Run
from kiro_core.rpc import INTERNAL_ERROR, INVALID_PARAMS, METHOD_NOT_FOUND
from kiro_core.session.clients import Item
from kiro_core.session.updates import observed_title, shown_while_loading
from kiro_core.types import PeerInfo

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_HISTORY_S = 3.0
_PAUSE_S = 0.3
_READ = re.compile(rb"session_info_update|config_option_update|current_mode_update|available_commands_update")
"""The updates that say something about the session itself; every other passes unread."""
_TOOL = b'"tool_call'


class Listener:
    """Implements `Client` for the agent of a session."""

    def __init__(self, session: Session) -> None:
        """Listen for a session that is held."""
        self._session = session
        self.asking: int = 0
        self._loading = False
        self._owes_history = False
        self._replayed = False
        self._heard = anyio.Event()

    @property
    def info(self) -> PeerInfo:
        """What the agent learns of its client: files and terminals are always served, the rest as it offers.

        A login is not the agent's to offer there: a client would start us, and not the agent program.
        """
        offered: dict[str, Any] = dict(self._session.clients.opener.raw)
        offered.pop("auth", None)
        files = {"readTextFile": True, "writeTextFile": True}
        return PeerInfo("kiro_core", raw={**offered, "fs": files, "terminal": True})

    def begin_loading(self) -> None:
        """Suppress what the agent replays, until `end_of_loading`: our record has it.

        Not only until it has answered: some agents answer first and send their history then.
        """
        self._loading, self._replayed, self._owes_history = True, False, False

    def loaded(self, *, owes_history: bool) -> None:
        """Take note of the agent's answer; `owes_history` where it has to replay something, now or later."""
        self._owes_history = owes_history and not self._replayed

    async def end_of_loading(self) -> bool:
        """Pass on again whatever the agent says; whether it owed a history and has shown nothing of it.

        A history that comes behind the answer is waited for: a few seconds until it begins, and until it pauses.
        """
        if self._loading and self._owes_history:
            with anyio.move_on_after(_HISTORY_S):
                while await self._hears(_PAUSE_S if self._replayed else _HISTORY_S):
                    pass
        forgot = self._loading and self._owes_history and not self._replayed
        self._loading = False
        return forgot

    async def _hears(self, limit_s: float) -> bool:
        """Whether the agent says something within that time."""
        with anyio.move_on_after(limit_s):
            await self._heard.wait()
            return True
        return False

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Record what the agent says, then show it: one append and one write a client for a chunk."""
        session = self._session
        if self._loading:
            frames = self._news(frames)
        if not frames:
            return
        try:
            session.patience.heard()
            await session.storing.updates(frames, await self._shown(frames))
            await session.clients.kept_up()
        except KiroError as error:
            session.fail(error)

    async def heard(self, frames: Sequence[Frame]) -> None:
        """Follow what the agent does, in its own words: what a middleware has masked would be judged wrongly."""
        try:
            if not isinstance(frames, Run):
                await self._follow(frame for frame in frames if not self._loading or shown_while_loading(frame))
        except KiroError as error:
            self._session.fail(error)

    async def request(self, frame: Frame) -> Frame:
        """Answer a request of the agent."""
        session, method = self._session, frame.method or ""
        if session.is_strange(frame):
            raise RpcError(INVALID_PARAMS, f"The session {frame.session} is not this agent's.")
        if method == "session/request_permission":
            if not isinstance(frame.params.get("options"), list) or not isinstance(frame.params.get("toolCall"), dict):
                raise RpcError(INVALID_PARAMS, f"{method} needs a toolCall and options.")
            response = await session.guard.permission(frame)
        elif method.startswith("_"):
            response = await self._extension(frame)
        else:
            response = await session.services.request(frame)
        session.patience.heard()
        return response

    def _news(self, frames: Sequence[Frame]) -> list[Frame]:
        news = [frame for frame in frames if shown_while_loading(frame)]
        self._replayed = self._replayed or len(news) < len(frames)
        heard, self._heard = self._heard, anyio.Event()
        heard.set()
        return news

    async def _shown(self, frames: Sequence[Frame]) -> Sequence[Item]:
        """What clients are shown of messages, once they are on record."""
        session = self._session
        if isinstance(frames, Run):
            return [] if session.is_strange(frames) else [session.for_client(frames)]
        told = [frame for frame in frames if frame.fault is None and not session.is_strange(frame)]
        if not session.layers.hears:
            await self._follow(told)
        for index, frame in enumerate(told):
            if frame.method != "session/update" or (b"_update" in frame.raw and _READ.search(frame.raw)):
                told[index] = await self._read(frame)
        return [session.for_client(frame) for frame in session.services.shown(told)]

    async def _follow(self, frames: Iterable[Frame]) -> None:
        session = self._session
        for frame in frames:
            if _TOOL not in frame.raw or frame.fault is not None or session.is_strange(frame):
                continue
            if isinstance(update := frame.params.get("update"), dict):
                await session.calls.follow(update)

    async def _read(self, frame: Frame) -> Frame:
        session = self._session
        if (notice := session.mcp.follow(frame)) is not None:
            await session.tell(notice)
        if frame.method != "session/update" or not session.is_own(frame):
            return frame
        if (title := observed_title(frame)) and not session.metadata.info.titled:
            if session.front.is_ours(title):
                return Frame.of("session/update", {**frame.params, "update": {"sessionUpdate": "session_info_update"}})
            await session.metadata.note(title=title)
        return await session.options.follow(session.orders.follow(frame))

    async def _extension(self, frame: Frame) -> Frame:
        client, limit = self._session.clients.serving, self._session.tools.limits.question_s
        if client is None:
            raise RpcError(METHOD_NOT_FOUND, f"Nobody is here who could answer {frame.method}.")
        self.asking += 1
        try:
            with anyio.move_on_after(limit):
                return await client.request(self._session.for_client(frame))
        except Disconnected as error:
            raise RpcError(INTERNAL_ERROR, f"The client that could answer {frame.method} is gone.") from error
        finally:
            self.asking -= 1
        raise RpcError(INTERNAL_ERROR, f"The client did not answer {frame.method} within {limit:g} s.")
