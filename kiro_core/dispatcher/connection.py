"""One client's agent: it finds whose session a request is for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from kiro_core.dispatcher.crew_requests import SEND, SPAWN, sent, spawned
from kiro_core.dispatcher.login import authenticate, log_out
from kiro_core.dispatcher.requests import busy_wish, cursor_wish, prompt_of, role_wish, session_of
from kiro_core.engines.logins import TERMINAL_LOGIN
from kiro_core.errors import AuthRequired, EngineNotFound, RpcError, SessionNotFound
from kiro_core.frames import Frame
from kiro_core.ports import Client, Turn
from kiro_core.rpc import INVALID_PARAMS, METHOD_NOT_FOUND
from kiro_core.session import CONFIGURING, CONTROLLER, Member, Plan, Session, require_conversation, require_kept
from kiro_core.types import RUN, PeerInfo, SessionId, SessionInfo, SessionQuery
from kiro_core.version import __version__

if TYPE_CHECKING:
    from kiro_core.dispatcher.desk import Dispatcher

_ABILITIES = frozenset({"load", "resume", "list", "close", "delete", "additionalDirectories", "logout"})

_LIST = "_kiro.dev/session/list"
TERMINATE = frozenset({"_kiro.dev/session/terminate", "_session/terminate"})
"""What Kiro's own clients say for `session/list` and `session/close` (kiro-cli 2.x); an unknown id succeeds."""


class Connection:
    """Implements `Agent` for one attached client."""

    def __init__(self, desk: Dispatcher, client: Client) -> None:
        """Speak for the desk to `client`."""
        self.info: Final = PeerInfo("kiro_core", __version__, _ABILITIES)
        self._desk = desk
        self._client = client
        self.closed = False
        self._login_wanted = ""

    async def new(self, frame: Frame) -> Frame:
        """See `Agent.new`; answers when the agent is ready."""
        return await self.begin(frame, "")

    async def begin(self, frame: Frame, session: str) -> Frame:
        """See `Seat.begin`."""
        self._desk.ground.require_open()
        return await self._start(await self._desk.planner.fresh(frame, session))

    async def open(self, frame: Frame, *, replay: bool) -> Frame:
        """See `Agent.open`; a session that is live here is shared with those who are at it.

        `_meta.kiro_core` may have a `role`, "observer" for one that only watches, and a cursor `after`: then the
        client is shown what is on record behind that number, in place of a replay.
        """
        self._desk.ground.require_open()
        id_, role, after = session_of(frame), role_wish(frame), cursor_wish(frame)
        session = self._desk.live.get(id_)
        if session is None:
            info = await self._desk.info(id_)
            require_kept(info)
            require_conversation(info)
            plan = await self._desk.planner.stored(frame, info, replay=replay and after is None)
            return await self._start(plan, role, after)
        await session.guests.expected()
        here = session.clients.of(self._client)
        if here is not None and here.begun.is_set() and not replay and after is None:
            session.clients.cast(here, role)
            return session.guests.joined()
        member = session.guests.join(self._client, role)
        try:
            await session.guests.bring_up(member, after, replay=replay)
            answer = session.guests.joined()
        except BaseException:
            if here is not None:
                self._desk.release(member)
            else:
                session.clients.leave(self._client)
            raise
        self._desk.release(member)
        self._leave_behind(session)
        return answer

    async def prompt(self, frame: Frame) -> Turn:
        """See `Agent.prompt`."""
        self._desk.ground.require_open()
        prompt, when_busy = prompt_of(frame), busy_wish(frame)
        session = self._controlled(prompt)
        member = session.clients.controller(self._client)
        if isinstance(session.refusal, EngineNotFound) and session.orders.read(prompt) is None:
            # Its program was missing when it was opened, and may be there by now.
            await session.swaps.engine(session.plan.engine.name)
        return ShownTurn(await session.prompt(prompt, when_busy, member), member)

    async def cancel(self, frame: Frame) -> None:
        """See `Agent.cancel`."""
        await self._controlled(frame).cancel()

    async def close(self, frame: Frame) -> Frame:
        """See `Agent.close`; a session that is not live has nothing left to end.

        While others control the session too, it goes on for them, and this client leaves it.
        """
        id_ = session_of(frame)
        session = self._desk.live.get(id_)
        if session is None:
            await self._desk.info(id_)
        else:
            await session.guests.leave_or_close(self._client)
        return Frame.answer({})

    async def delete(self, frame: Frame) -> Frame:
        """See `Agent.delete`; what the agent program keeps of its own is not touched; others who are there are told.

        Raises:
            ObserverOnly: the client only watches the session.

        """
        session = self._desk.live.get(session_of(frame))
        if session is not None and session.clients.of(self._client) is not None:
            session.clients.controller(self._client)
        try:
            await self._desk.delete(session_of(frame))
        except SessionNotFound:
            return Frame.answer({})
        return Frame.answer({})

    async def authenticate(self, frame: Frame) -> Frame:
        """See `Agent.authenticate`: the engine that wanted a login last, else the one that a session would get."""
        if not isinstance(frame.params.get("methodId"), str):
            raise RpcError(INVALID_PARAMS, "authenticate needs a methodId.")
        engine, tools = self._desk.engine_for_login(self._wanted_login())
        if frame.params["methodId"] == TERMINAL_LOGIN:
            command = f"kiro-core engines login {engine.name}"
            raise RpcError(INVALID_PARAMS, f"{TERMINAL_LOGIN} runs in a terminal: {command}.")
        return await authenticate(engine, tools, self._client, frame)

    async def logout(self, frame: Frame) -> Frame:
        """See `Agent.logout`."""
        engine, tools = self._desk.engine_for_login(self._wanted_login())
        return await log_out(engine, tools, self._client, frame)

    async def list(self, frame: Frame) -> Frame:
        """See `Agent.list`; runs of crews are left out, since they cannot be loaded."""
        cwd, cursor = frame.params.get("cwd"), frame.params.get("cursor")
        if not isinstance(cwd, str | None) or not isinstance(cursor, str | None):
            raise RpcError(INVALID_PARAMS, "session/list takes cwd and cursor as strings.")
        try:
            page = await self._desk.sessions(SessionQuery(cwd or ""), cursor)
        except ValueError as error:
            raise RpcError(INVALID_PARAMS, f"session/list: {error}") from error
        answer: dict[str, Any] = {"sessions": [_listed(info) for info in page.items if info.kind != RUN]}
        return Frame.answer({**answer, "nextCursor": page.cursor} if page.cursor else answer)

    async def call(self, frame: Frame) -> Frame:
        """See `Agent.call`; extension methods (`_...`) and options of a session go to its agent."""
        if frame.method == _LIST:
            return await self.list(frame)
        if frame.method in TERMINATE:
            return await self._terminate(frame)
        if frame.method in SPAWN:
            self._controlled(frame)
            return await spawned(self._desk.crew, frame)
        if frame.method in SEND:
            self._require_near(session_of(frame))
            return await sent(self._desk.crew, frame)
        if frame.session and ((frame.method or "").startswith("_") or frame.method in CONFIGURING):
            with self._noting_login():
                return await self._controlled(frame).call(frame)
        raise RpcError(METHOD_NOT_FOUND, f"There is no method {frame.method} here.")

    async def notify(self, frame: Frame) -> None:
        """See `Agent.notify`; the same for notifications."""
        if frame.method in TERMINATE:
            await self._terminate(frame)
        elif frame.session and (frame.method or "").startswith("_"):
            await self._controlled(frame).rousing.pass_on(frame)

    async def _start(self, plan: Plan, role: str = CONTROLLER, after: int | None = None) -> Frame:
        with self._noting_login():
            answer = await self._desk.start(plan, self._client, role, after)
        self._leave_behind(self._desk.live.get(plan.info.id))
        return answer

    def _leave_behind(self, session: Session | None) -> None:
        """Leave a session that was opened for a client which detached meanwhile."""
        if self.closed and session is not None:
            session.clients.leave(self._client)

    @contextmanager
    def _noting_login(self) -> Iterator[None]:
        try:
            yield
        except AuthRequired as error:
            self._login_wanted = error.details["engine"]
            raise

    def _wanted_login(self) -> str:
        """The engine that wanted a login last: at an opening, or when a session's was started again."""
        ours = (session for session in self._desk.live.values() if session.clients.of(self._client) is not None)
        return next((session.wants_login for session in ours if session.wants_login), self._login_wanted)

    async def _terminate(self, frame: Frame) -> Frame:
        """End a session as `close` does, and a member also where others are at it: that is what its clients mean."""
        id_ = session_of(frame)
        session = self._desk.live.get(id_)
        if self._desk.crew.trees.entry(id_) is not None:
            self._require_near(id_)
            await self._desk.crew.end("", id_)
        elif session is not None:
            await session.guests.leave_or_close(self._client)
        return Frame.answer({})

    def _require_near(self, session: SessionId) -> None:
        """Make sure that this client controls an open session, or one above it.

        Raises:
            ObserverOnly, SessionNotFound: it does not.

        """
        live = self._desk.live.get(session)
        if live is None:
            return
        above = [member for one in self._desk.ground.ancestors(live) for member in one.clients.controllers]
        if all(member.client is not self._client for member in above):
            live.clients.controller(self._client)

    def _controlled(self, frame: Frame) -> Session:
        """The session that a request is about, which this client has to control."""
        id_ = session_of(frame)
        session = self._desk.live.get(id_)
        if session is None or session.clients.of(self._client) is None:
            raise SessionNotFound(
                f"No session {id_} is open here.", hint="Open it first: session/load, or Agent.open.", session_id=id_
            )
        session.clients.controller(self._client)
        return session


class ShownTurn:
    """A turn as the client that prompted sees it: its outcome comes behind everything that was shown before."""

    def __init__(self, turn: Turn, member: Member) -> None:
        """Wrap a turn of the session."""
        self._turn = turn
        self._member = member

    async def settled(self) -> Frame:
        """See `Turn.settled`."""
        response = await self._turn.settled()
        await self._member.flushed()
        return response

    async def cancel(self) -> None:
        """See `Turn.cancel`."""
        await self._turn.cancel()


def _listed(info: SessionInfo) -> dict[str, Any]:
    told = {"title": info.title, "additionalDirectories": list(info.roots)}
    return {
        "sessionId": info.id,
        "cwd": info.cwd,
        "updatedAt": info.updated,
        **{key: value for key, value in told.items() if value},
    }
