"""Changes of what a session runs with: its agent configuration and its agent program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from kiro_core.errors import KiroError
from kiro_core.frames import Frame
from kiro_core.ports import Client
from kiro_core.session.plan import Plan, Tools
from kiro_core.trust import Document
from kiro_core.types import Notice, SessionId

if TYPE_CHECKING:
    from kiro_core.session.session import Session
    from kiro_core.session.swapping import Swaps


class Surroundings(Protocol):
    """What a session needs of its desk."""

    def taken(self, session: str) -> bool:
        """Whether an id belongs to a session of the desk."""
        ...

    def session(self, name: str) -> Session | None:
        """The session of that id, if it is live at this desk."""
        ...

    def ancestors(self, session: Session) -> Sequence[Session]:
        """The sessions above it that are live at this desk, the nearest first."""
        ...

    def occupied(self, session: Session) -> bool:
        """Whether sessions that it has spawned are at work; `Session.stir` tells it when one is done."""
        ...

    async def ending(self, session: Session) -> None:
        """A session that was open is about to let go of its record: those that it has spawned end before."""
        ...

    def came(self, session: Session, client: Client) -> None:
        """A client came to a session: it follows those below."""
        ...

    def went(self, session: Session, client: Client) -> None:
        """It left, and follows those below no more."""
        ...

    def require_open(self) -> None:
        """Let something new begin.

        Raises:
            SessionClosing: the desk is ending.

        """
        ...

    async def wake(self, session: SessionId) -> None:
        """Tell whoever holds a session that its inbox may have something new; what fails there is logged."""
        ...

    async def make_room(self, session: Session) -> None:
        """Let a session have an agent program: it counts as `engaged` from then on.

        Raises:
            DeskFull: as many are at work as the desk may have.

        """
        ...

    async def untrusted(self, plan: Plan, agent: str) -> bool:
        """Whether an agent configuration is one that nobody agreed to, or may be.

        One that cannot be read counts: an agent program may read what we cannot.
        """
        ...

    async def documents(self, plan: Plan, agent: str) -> Sequence[Document]:
        """What the person has to agree to before an agent configuration can be used."""
        ...

    async def trust(self, documents: Sequence[Document]) -> None:
        """Keep that the person agreed to these documents.

        Raises:
            RecordInvalid, Unavailable: it cannot be kept.

        """
        ...

    async def changed(self, plan: Plan, *, agent: str = "", engine: str = "") -> tuple[Plan, Tools]:
        """The same plan with another agent configuration or engine, and the backends for it.

        Raises:
            AgentNotFound, AgentUntrusted, UnknownName, EngineNotFound.

        """
        ...


@dataclass(frozen=True, slots=True)
class Close:
    """The lifecycle command that ends a session; its reply is `Session.ended`."""


@dataclass(slots=True)
class Move:
    """The lifecycle command that continues a session with another plan, in a new process; `done` is its reply."""

    plan: Plan
    tools: Tools
    done: anyio.Event = field(default_factory=anyio.Event)
    error: KiroError | None = None


class Changes:
    """What the options need of their session: they decide, this carries out."""

    def __init__(self, session: Session) -> None:
        """Change that session."""
        self._session = session

    @property
    def plan(self) -> Plan:
        """What the session runs with now."""
        return self._session.plan

    @property
    def agent_session(self) -> str:
        """The agent's own id of it."""
        return self._session.agent_session

    @property
    def ready(self) -> bool:
        """Whether its agent is open; before that, the opening decides what it runs with."""
        return self._session.serving

    async def untrusted(self, agent: str) -> bool:
        """See `Surroundings.untrusted`."""
        return await self._session.desk.untrusted(self._session.plan, agent)

    def require_agent(self) -> None:
        """See `Session.working`."""
        self._session.working()

    def cancel_turn(self) -> None:
        """Cancel the turn that runs, if one does."""
        turns = self._session.turns
        if turns is not None and turns.running is not None:
            turns.take_back(turns.running)

    def require_guarded(self, mode: str) -> None:
        """See `Guard.require_guarded`."""
        self._session.guard.require_guarded(mode)

    async def awake(self) -> None:
        """See `Rousing.awake`."""
        await self._session.rousing.awake()

    async def ask_agent(self, frame: Frame) -> Frame:
        """See `Rousing.ask`."""
        return await self._session.rousing.ask(frame)

    async def ask_person(self, frame: Frame) -> bool:
        """Ask a question of ours; whether the answer allows."""
        chosen = await self._session.ask_person(frame)
        options = {option["optionId"]: option["kind"] for option in frame.params["options"]}
        return str(options.get(chosen, "")).startswith("allow")

    async def note(self, **changes: Any) -> None:
        """See `Session.note`."""
        await self._session.note(**changes)

    async def chosen(self, option: str, value: Any) -> None:
        """Keep what a client chose of the agent's own options, so that it can be chosen again."""
        await self.note(options={**self._session.metadata.info.options, option: value})

    async def tell(self, notice: Notice) -> None:
        """See `Session.tell`."""
        await self._session.tell(notice)

    @property
    def swaps(self) -> Swaps:
        """What changes agent configuration and engine."""
        return self._session.swaps

    async def show(self, frames: Sequence[Frame]) -> None:
        """See `Session.show`."""
        await self._session.show(frames)


async def first_of(reply: anyio.Event, ended: anyio.Event) -> None:
    """Wait for the reply to a lifecycle command, or for the end of the session, which gives none any more."""

    async def until_the_end() -> None:
        await ended.wait()
        either.cancel_scope.cancel()

    async with anyio.create_task_group() as either:
        either.start_soon(until_the_end)
        await reply.wait()
        either.cancel_scope.cancel()
