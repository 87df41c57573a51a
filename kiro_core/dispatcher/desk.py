"""The desk itself: every live session by its id, and what a face can ask about all of them."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Container, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup

from kiro_core.agentconfig import all_agents
from kiro_core.control import Served, make_doors, served_socket
from kiro_core.crew.crew import Crew
from kiro_core.dispatcher.agreeing import agreed
from kiro_core.dispatcher.backends import Backends, open_backends
from kiro_core.dispatcher.configuration import configuration
from kiro_core.dispatcher.connection import Connection
from kiro_core.dispatcher.crew_tools import CrewTools
from kiro_core.dispatcher.crewing import CrewGround
from kiro_core.dispatcher.digests import digests
from kiro_core.dispatcher.following import Following
from kiro_core.dispatcher.homes import Homes
from kiro_core.dispatcher.inheriting import ancestors
from kiro_core.dispatcher.planning import Planner
from kiro_core.dispatcher.reception import Reception
from kiro_core.dispatcher.records import Records
from kiro_core.dispatcher.reloading import Reloaded
from kiro_core.dispatcher.requiring import with_contents
from kiro_core.dispatcher.retention import Retention
from kiro_core.dispatcher.room import make_room
from kiro_core.dispatcher.routing import Routed
from kiro_core.dispatcher.wakes import wake_elsewhere
from kiro_core.dispatcher.watching import Watching
from kiro_core.engines import logins_of
from kiro_core.errors import DeskFull, EndingFailed, EngineNotFound, Held, SessionClosing, UnknownName, unwrapped
from kiro_core.frames import Frame
from kiro_core.journal import told
from kiro_core.ports import Agent, Client
from kiro_core.registry import Registry
from kiro_core.session import CONTROLLER, Life, Member, Plan, Session, Tools
from kiro_core.settings import Settings
from kiro_core.trust import Document
from kiro_core.types import (
    AgentConfig,
    AgentSummary,
    Contact,
    Engine,
    Page,
    PeerInfo,
    Problem,
    Pruned,
    PruneRule,
    Record,
    Report,
    SessionId,
    SessionInfo,
    SessionQuery,
    Told,
)

_SERVED = "serve"
"""The face of a desk that is there to stay: it does the housekeeping."""
_NOT_READY = {"starting": "The desk is starting.", "draining": "The desk is ending."}


@dataclass(frozen=True, slots=True)
class Sharing:
    """How a desk deals with others: `attach` joins their sessions, `standalone` uses no served one, `served` is it.

    `served_at` is where the served desk of the same store listens, if there is one.
    """

    served_at: Path

    attach: bool = True
    standalone: bool = False
    served: bool = False


class Dispatcher:
    """Implements `Desk`. The registry is a plain dict, touched only between awaits.

    An id is in it from its reservation on, so that two openings of one id cannot race; whatever is
    slow happens in the session's own task or in the task of who asked.
    """

    def __init__(self, backends: Backends, tasks: TaskGroup, planner: Planner, sharing: Sharing) -> None:
        """Run sessions in `tasks`; `open_desk` makes one."""
        self.planner = planner
        planner.preparing.inheriting.live = self.session
        self.live: dict[SessionId, Session] = {}
        self._backends = backends
        self.sharing = sharing
        self.reception = Reception(self, backends.settings, backends.contact.face, served=sharing.served)
        self.following = Following(self.live, self.ancestors, self.release)
        self.watching = Watching(backends.store, self.live, tasks)
        self._records = Records(backends.store, self.live, lambda: self.settings.limits.control_s)
        self.retention = Retention(backends.store, self.live, lambda: self._backends.settings.retention)
        self.crew_tools = CrewTools(self, backends, tasks)
        self.crew = Crew(CrewGround(self, backends), tasks)
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

    def logins(self, client: PeerInfo) -> Sequence[Mapping[str, Any]]:
        """See `Attachable.logins`."""
        try:
            return logins_of(self.planner.default_engine(), client)
        except (EngineNotFound, UnknownName):
            return []

    def not_ready(self) -> str:
        """See `Attachable.not_ready`."""
        return _NOT_READY.get(self.reception.state) or self.reception.unready()

    def status(self) -> Mapping[str, Any]:
        """See `Desk.status`."""
        return self.reception.status()

    def engine_for_login(self, name: str) -> tuple[Engine, Tools]:
        """The engine of that name, else the one that a session would get, and the backends to start it with.

        Raises:
            EngineNotFound, UnknownName.

        """
        engine = self._backends.engines.get(name) or self.planner.default_engine()
        return engine, self._backends.tools(engine)

    def taken(self, session: str) -> bool:
        """See `Surroundings.taken`."""
        return session in self.live

    def session(self, name: str) -> Session | None:
        """See `Surroundings.session`."""
        return self.live.get(SessionId(name))

    def ancestors(self, session: Session) -> Sequence[Session]:
        """The live sessions above one, the nearest first and each once: their triggers and clients are its own too."""
        return ancestors(session.plan.info, self.session)

    def came(self, session: Session, client: Client) -> None:
        """See `Surroundings.came`."""
        self.following.came(session, client)
        if (member := session.clients.of(client)) is not None:
            member.put(0, self.crew.news.latest(session.plan.info.id))

    def went(self, session: Session, client: Client) -> None:
        """See `Surroundings.went`."""
        self.following.went(session, client)

    async def wake(self, session: SessionId) -> None:
        """Tell whoever holds a session that its inbox may have something new: this desk, or one in another process.

        What this desk itself put into the inbox of one of its own sessions, that one knows. It returns within
        `limits.control_s` seconds, and what fails is logged: a message that is in the inbox is found there.
        """
        self._backends.store.wake(session)
        if session not in self.live:
            await wake_elsewhere(self._backends.store, session, self.settings.limits.control_s)

    async def make_room(self, session: Session) -> None:
        """See `Surroundings.make_room`."""
        await make_room(session, self.live.values(), self._backends.settings.limits)

    async def untrusted(self, plan: Plan, agent: str) -> bool:
        """See `Surroundings.untrusted`."""
        return await self.planner.untrusted(plan, agent)

    async def documents(self, plan: Plan, agent: str) -> Sequence[Document]:
        """See `Surroundings.documents`."""
        return await self.planner.documents(plan, agent)

    async def trust(self, documents: Sequence[Document]) -> None:
        """See `Surroundings.trust`."""
        await to_thread.run_sync(agreed, self.planner.preparing.trust, documents)

    async def changed(self, plan: Plan, *, agent: str = "", engine: str = "") -> tuple[Plan, Tools]:
        """See `Surroundings.changed`."""
        plan = await self.planner.changed(plan, agent=agent, engine=engine)
        return plan, self._backends.tools(plan.engine)

    def require_open(self) -> None:
        """Let something new begin, or say why not.

        Raises:
            SessionClosing: the desk is ending.

        """
        if self.reception.state == "draining":
            raise SessionClosing("The desk is ending and takes nothing new.", hint="Start it again.")

    async def start(self, plan: Plan, client: Client, role: str = CONTROLLER, after: int | None = None) -> Frame:
        """Run a session for a client, and return the answer to the request that asked for it.

        With `after` the client is shown what is on record behind that number.

        Raises:
            Held: the session is being opened already.
            DeskFull: `limits.max_sessions` are open.
            SessionClosing: the desk is ending.
            KiroError: the session could not be opened.

        """
        self.require_open()
        if plan.loaded:
            await self.crew.opening(plan.info)
        if plan.info.id in self.live:
            raise Held("The session is being opened already.", hint="Wait for its answer.", session=plan.info.id)
        if 0 < (most := self._backends.settings.limits.max_sessions) <= len(self.live):
            raise DeskFull(
                f"{len(self.live)} sessions are open here, and `limits.max_sessions` allows no more.",
                hint="Close one of them, or raise that limit in the settings.",
                max_sessions=most,
            )
        session = self.live[plan.info.id] = Session(plan, self._backends.tools(plan.engine), self)
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

    def occupied(self, session: Session) -> bool:
        """See `Surroundings.occupied`."""
        return self.crew.ending.occupied(session.plan.info.id)

    async def ending(self, session: Session) -> None:
        """See `Surroundings.ending`."""
        await self.crew.ending.ending(session.plan.info.id)

    def release(self, member: Member) -> None:
        """Show a client what was held back for it, once the answer that is about to be returned was written.

        The task begins after the present one waits next, and a peer writes an answer without waiting.
        """
        self._tasks.start_soon(member.run)

    async def drain(self, drain_s: float) -> None:
        """Take nothing new, give the turns that run `drain_s` seconds, then end all sessions.

        Prompts that wait behind them are cancelled. Who cancels this cuts short the seconds and not the
        end: in any case each turn has a named outcome, on record and told, when it returns.
        """
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
        """Go on with settings that were read again; see `Backends.reload`.

        Raises:
            SettingsError: they cannot be used, and nothing has changed.

        """
        report = self._backends.reload(settings)
        self.reception.settings = digests(self.settings)
        return report

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return self._backends.settings

    async def close(self) -> None:
        """End all sessions at once; each has `limits.close_s`, all together `limits.shutdown_s`."""
        self.reception.state = "draining"
        self.crew.leave()
        with anyio.move_on_after(self._backends.settings.limits.shutdown_s, shield=True):
            async with anyio.create_task_group() as closing:
                for session in list(self.live.values()):
                    closing.start_soon(_closed, session)
        for session in self.live.values():
            session.abandon()

    async def sessions(self, query: SessionQuery, cursor: str | None = None, limit: int = 50) -> Page[SessionInfo]:
        """See `Desk.sessions`."""
        page = await self._backends.store.list(query, cursor, limit)
        return replace(page, items=[self._newest(info) for info in page.items])

    async def info(self, session: SessionId) -> SessionInfo:
        """See `Desk.info`."""
        return self._newest(await self._backends.store.get(session))

    async def holder(self, session: SessionId) -> Mapping[str, Any]:
        """See `Desk.holder`."""
        return await self._backends.store.holder(session)

    async def freed(self, session: SessionId) -> None:
        """See `Desk.freed`."""
        await self._backends.store.freed(session)

    def read(self, session: SessionId, after: int = 0) -> AsyncIterator[Record]:
        """See `Desk.read`."""
        return self._backends.store.read(session, after)

    async def watch(self, session: SessionId, after: int = 0) -> AsyncGenerator[Record, None]:
        """See `Desk.watch`."""
        async with aclosing(self.watching.anywhere(session, after)) as batches:
            async for batch in batches:
                for record in batch:
                    yield record

    def told(self, session: SessionId, after: int = 0, *, follow: bool = False) -> AsyncGenerator[Told, None]:
        """See `Desk.told`."""
        records = self.watch(session, after) if follow else self.read(session, after)
        return told(records, partial(self.read, session) if after else None)

    async def delete(self, session: SessionId) -> None:
        """See `Desk.delete`."""
        self.crew.driving.require_at_rest(session)
        await self._records.delete(session)

    async def prune(
        self, rule: PruneRule, *, dry_run: bool = False, only: Container[SessionId] | None = None
    ) -> Sequence[Pruned]:
        """See `Desk.prune`."""
        return [each async for each in self.retention.prune(rule, dry_run=dry_run, only=only)]

    async def restore(self, session: SessionId) -> SessionInfo:
        """See `Desk.restore`."""
        return await self.retention.restore(session)

    async def verify(self, session: SessionId, *, repair: bool = False) -> Report:
        """See `Desk.verify`."""
        return await self._records.verify(session, repair=repair)

    async def take_over(self, session: SessionId, *, force: bool = False) -> Mapping[str, Any]:
        """See `Desk.take_over`."""
        return await self._records.take_over(session, force=force)

    async def relabel(
        self,
        session: SessionId,
        *,
        title: str | None = None,
        name: str | None = None,
        tags: Iterable[str] | None = None,
    ) -> SessionInfo:
        """See `Desk.relabel`."""
        self.crew.driving.require_at_rest(session)
        return await self._records.relabel(session, title=title, name=name, tags=tags)

    def export_session(self, session: SessionId) -> AsyncGenerator[bytes, None]:
        """See `Desk.export_session`."""
        return self._records.export(session)

    async def import_session(self, chunks: AsyncIterator[bytes], *, new_id: bool = False) -> SessionInfo:
        """See `Desk.import_session`."""
        return await self._records.import_(chunks, new_id=new_id)

    async def agents(self, cwd: Path) -> tuple[Sequence[AgentSummary], Sequence[Problem]]:
        """See `Desk.agents`."""
        return await all_agents(self._backends.sources, cwd)

    async def agent(self, name: str, cwd: Path) -> AgentConfig:
        """See `Desk.agent`."""
        return await with_contents(self.planner.preparing, self._backends.sources, name, cwd)

    def configuration(self) -> Mapping[str, Any]:
        """See `Desk.configuration`."""
        return configuration(self.settings, self.planner.wishes)

    def engines(self) -> Sequence[Engine]:
        """See `Desk.engines`."""
        return list(self._backends.engines.values())

    def _newest(self, info: SessionInfo) -> SessionInfo:
        live = self.live.get(info.id)
        return live.metadata.newest(info) if live is not None and live.ready else info

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


@asynccontextmanager
async def open_desk(  # noqa: PLR0913 - what a command was asked for, all by name
    settings: Settings,
    registry: Registry,
    *,
    agent: str = "",
    engine: str = "",
    face: str = "",
    attach: bool = True,
    standalone: bool = False,
    served: Served | None = None,
    trust_tools: Sequence[str] | None = None,
) -> AsyncIterator[Dispatcher]:
    """Open a desk; `agent` and `engine` are names that go before the settings' own.

    `trust_tools` are names or patterns of tools that need no question in any of its sessions; `*` is all.

    `face` says what it serves ("acp", "run"), for whoever finds one of its sessions held; a desk with a face
    listens at a socket of its own, so that other processes of the user can share its sessions, and its clients
    share theirs: they work in the served desk if one runs, unless it is to be `standalone`, and with
    `attach` they join sessions that another desk has open. With `served` it is the served desk.

    Leaving ends all sessions: locks are free and records complete, or the processes are killed.

    Raises on entering:
        UnknownName, SettingsError, PluginError: see `open_backends`.
        Unavailable: the served socket cannot be made.

    """
    with unwrapped(), make_doors(face, served) as doors:
        contact = Contact(face, doors.path)
        async with open_backends(settings, registry, contact) as backends, anyio.create_task_group() as beside:
            beside.start_soon(backends.sweep)
            async with anyio.create_task_group() as tasks:
                sharing = Sharing(served_socket(settings, registry), attach, standalone, served is not None)
                desk = Dispatcher(backends, tasks, Planner(backends, agent, engine, trust_tools), sharing)
                if face == _SERVED:
                    beside.start_soon(desk.retention.daily)
                async with doors.opened(desk.reception):
                    try:
                        yield desk
                    finally:
                        await desk.close()
            beside.cancel_scope.cancel()
