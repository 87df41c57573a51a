"""The desk itself: it begins sessions, lets clients in to them, and ends them all."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import anyio
from anyio.abc import TaskGroup

from kiro_core.crew.crew import Crew
from kiro_core.dispatcher.backends import Backends
from kiro_core.dispatcher.connection import Connection
from kiro_core.dispatcher.crew_tools import CrewTools
from kiro_core.dispatcher.crewing import CrewGround
from kiro_core.dispatcher.digests import digests
from kiro_core.dispatcher.following import Following
from kiro_core.dispatcher.homes import Homes
from kiro_core.dispatcher.offering import Offering
from kiro_core.dispatcher.planning import Planner
from kiro_core.dispatcher.reception import Reception
from kiro_core.dispatcher.reloading import Reloaded
from kiro_core.dispatcher.room import require_place
from kiro_core.dispatcher.routing import Routed
from kiro_core.dispatcher.session_ground import SessionGround
from kiro_core.dispatcher.sharing import Sharing
from kiro_core.dispatcher.stored import Stored
from kiro_core.errors import EndingFailed, Held, unwrapped
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Client
from kiro_core.session import CONTROLLER, Life, Member, Plan, Session
from kiro_core.settings import Settings

_NOT_READY = {"starting": "The desk is starting.", "draining": "The desk is ending."}


class Dispatcher(Stored, Offering):
    """Implements `OwnDesk`; whatever is slow happens in the session's own task or in the task of who asked."""

    def __init__(self, backends: Backends, tasks: TaskGroup, planner: Planner, sharing: Sharing) -> None:
        """Run sessions in `tasks`; `open_desk` makes one."""
        self.crew: Final = Crew(CrewGround(self, backends), tasks)
        Stored.__init__(self, backends, tasks, self.crew.driving.require_at_rest)
        Offering.__init__(self, backends, planner)
        self.sharing: Final = sharing
        self.ground: Final = SessionGround(self, backends)
        planner.preparing.inheriting.live = self.ground.session
        self.reception: Final = Reception(self, backends.settings, backends.contact.face, served=sharing.served)
        self.following: Final = Following(self.live, self.ground.ancestors, self.release)
        self.crew_tools: Final = CrewTools(self, backends, tasks)
        self._tasks = tasks

    @asynccontextmanager
    async def attach(self, client: Client) -> AsyncIterator[Agent]:
        """Give a connection its agent; leaving detaches, so that nothing more is shown or asked there."""
        async with self.admit(client) as local:
            if not self.reception.face:
                yield local
                return
            with unwrapped():
                async with anyio.create_task_group() as tasks:
                    yield Routed(local, Homes(self, local, client, tasks))
                    tasks.cancel_scope.cancel()

    @asynccontextmanager
    async def admit(self, client: Client) -> AsyncIterator[Connection]:
        """The same for the sessions of this desk alone."""
        connection = Connection(self, client)
        try:
            yield connection
        finally:
            connection.closed = True
            for session in self.live.values():
                session.clients.leave(client)

    def not_ready(self) -> str:
        """See `Attachable.not_ready`."""
        return _NOT_READY.get(self.reception.state) or self.reception.unready()

    def status(self) -> Mapping[str, Any]:
        """See `Desk.status`."""
        return self.reception.status()

    async def start(self, plan: Plan, client: Client, role: str = CONTROLLER, after: int | None = None) -> Frame:
        """Run a session for a client, and return the answer to the request that asked for it.

        With `after` the client is shown what is on record behind that number.

        Raises:
            Held: the session is being opened already.
            DeskFull: `limits.max_sessions` are open.
            SessionClosing: the desk is ending.
            KiroError: the session could not be opened.

        """
        self.ground.require_open()
        if plan.loaded:
            await self.crew.opening(plan.info)
        if plan.info.id in self.live:
            raise Held("The session is being opened already.", hint="Wait for its answer.", session=plan.info.id)
        require_place(self.live, self.settings.limits)
        session = self.live[plan.info.id] = Session(plan, self._backends.tools(plan.engine), self.ground)
        member = session.clients.join(client, role)
        self.following.began(session)
        self._tasks.start_soon(self._run, session)
        answer = await session.opening()
        try:
            if after is not None:
                await session.guests.bring_up(member, after, replay=plan.request.method == "session/load")
        except BaseException:
            session.clients.leave(client)
            raise
        self.release(member)
        self.crew.opened(plan.info.id)
        return answer

    def release(self, member: Member) -> None:
        """Show a client what was held back for it, once the answer that is about to be returned was written.

        The task begins after the present one waits next, and a peer writes an answer without waiting.
        """
        self._tasks.start_soon(member.run)

    async def drain(self, drain_s: float) -> None:
        """See `OwnDesk.drain`."""
        self.reception.state = "draining"
        try:
            with anyio.move_on_after(drain_s):
                async with anyio.create_task_group() as finishing:
                    for turns in [session.turns for session in self.live.values()]:
                        if turns is not None:
                            finishing.start_soon(turns.finish)
        finally:
            await self.close()

    def reload(self, settings: Settings) -> Reloaded:
        """See `OwnDesk.reload`."""
        report = self._backends.reload(settings)
        self.reception.settings = digests(self.settings)
        return report

    async def close(self) -> None:
        """End all sessions at once; each has `limits.close_s`, all together `limits.shutdown_s`."""
        self.reception.state = "draining"
        self.crew.leave()
        with anyio.move_on_after(self.settings.limits.shutdown_s, shield=True):
            async with anyio.create_task_group() as closing:
                for session in list(self.live.values()):
                    closing.start_soon(_closed, session)
        for session in self.live.values():
            session.abandon()

    async def _run(self, session: Session) -> None:
        try:
            await Life(session).run()
        finally:
            del self.live[session.plan.info.id]
            self.crew.ending.ended(session.plan.info.id)
            self.crew_tools.leave(session.plan.info.id)


async def _closed(session: Session) -> None:
    with suppress(EndingFailed):  # its launcher has logged it, and knows it still
        await session.close()
