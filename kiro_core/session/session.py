"""One live session, as its clients see it."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Any, Final, TypeVar

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream

from kiro_core.errors import KiroError, SessionBusy, SessionClosing, Unavailable
from kiro_core.frames import Frame, Run
from kiro_core.journal import Journal
from kiro_core.lazily import LazyEvent
from kiro_core.middleware import Layers
from kiro_core.notices import notice_of, recorded_notice
from kiro_core.ports import Agent, Client, SessionDb
from kiro_core.session.answering import chosen
from kiro_core.session.changing import Changes, Close, Surroundings
from kiro_core.session.clients import Clients, Item, Member
from kiro_core.session.exchange import Exchange
from kiro_core.session.fronting import Front
from kiro_core.session.guarding import Guard
from kiro_core.session.guests import Guests
from kiro_core.session.hooking import Hooking
from kiro_core.session.inbox import Inbox
from kiro_core.session.layering import Layering
from kiro_core.session.listening import Listener
from kiro_core.session.mcp_start import McpStart
from kiro_core.session.metadata import Metadata
from kiro_core.session.missing import missed
from kiro_core.session.noticing import Calls
from kiro_core.session.options import METHODS, Configuring, NativeOptions
from kiro_core.session.orders import Orders
from kiro_core.session.own_methods import OWN_METHODS
from kiro_core.session.patience import Patience
from kiro_core.session.plan import Plan, Tools
from kiro_core.session.prompts import check_prompt
from kiro_core.session.questions import Questions
from kiro_core.session.resting import Resting
from kiro_core.session.rousing import Rousing
from kiro_core.session.services import Services
from kiro_core.session.storing import Storing
from kiro_core.session.surviving import Survivors
from kiro_core.session.swapping import Swaps
from kiro_core.session.trusting import Trusting
from kiro_core.session.turn import PromptTurn
from kiro_core.session.turns import Turns
from kiro_core.session.waking import Restarts
from kiro_core.types import Notice

_LOG = logging.getLogger(__name__)
_MAILBOX = 25
_Said = TypeVar("_Said", Frame, Run)


class Session:
    """A session as others see it; the task in `kiro_core.session.life` owns its stack and its fields."""

    def __init__(self, plan: Plan, tools: Tools, desk: Surroundings) -> None:
        """Open nothing yet; whoever is among the `clients` when it opens is shown it from its beginning."""
        self.plan = plan
        self.tools = tools
        self.desk = desk
        # A session outlives who asked for it: only its own commands and failures end it.
        self.scope: Final = anyio.CancelScope(shield=True)
        self.opened: Final = LazyEvent()
        self.ended: Final = LazyEvent()
        self.post: MemoryObjectSendStream[Any]
        self.mailbox: MemoryObjectReceiveStream[Any]
        self.post, self.mailbox = anyio.create_memory_object_stream[Any](_MAILBOX)
        self.layers: Layers = Layers()
        self.layering: Layering = Layering(self)
        self.clients: Final = Clients(self, plan.info.id)
        self.ready = False
        self.serving = False
        self.wants_login = ""
        self.gone: Callable[[], Awaitable[KiroError]]
        self.closing: bool = False
        self.moving = False
        self.failure: KiroError | None = None
        self.refusal: KiroError | None = None
        self.unopened: Exception | None = None
        self.agent_session: str = plan.info.agent_session
        self.begun_at = 0
        self.answer: Frame = Frame.answer({})
        self.agent: Agent
        self.services: Services
        self.turns: Turns | None = None
        self.hooking: Final = Hooking(self)
        self.guard: Final = Guard(self)
        self.calls: Final = Calls(self)
        self.swaps: Final = Swaps(self)
        self.trusting: Final = Trusting(self)
        self.front: Final = Front()
        self.orders: Final = Orders(self)
        self.options: Final = Configuring(Changes(self))
        self.resting: Final = Resting(self)
        self.rousing: Final = Rousing(self)
        self.guests: Final = Guests(self)
        self.inbox: Final = Inbox(self)
        self.engaged = False
        self.survivors: Final = Survivors(self)
        self.restarts: Final = Restarts(tools.limits.max_restarts)
        self.mcp: McpStart = McpStart(())

    def hold(self, db: SessionDb) -> None:
        """Take the record that the session's task holds."""
        self.db = db
        self.storing: Storing = Storing(self)
        self.journal: Journal = Journal(
            db,
            strict=self.tools.strict,
            failed=self.storing.failed,
            published=self.clients.publish,
            record=self.layers.record,
        )
        self.clients.begin(db.head)
        self.metadata: Metadata = Metadata(db, self.journal.filtered)
        waits = bool(self.tools.contact.socket)
        self.questions: Questions = Questions(
            self.journal, self.clients, self.tell, self.tools.limits.question_s, waits=waits
        )
        self.patience: Patience = Patience(self)
        self.exchange: Exchange = Exchange(self)
        self.listener: Listener = Listener(self)

    def begin_agent(self, mcp_servers: Sequence[str], native: NativeOptions) -> None:
        """Forget what another agent program told; this one is asked to start those servers."""
        self.calls.forget()
        self.mcp = McpStart(mcp_servers if self.plan.engine.reports_mcp else ())
        self.options.native = native

    async def opening(self) -> Frame:
        """Wait until the session is ready: the answer to the request that asked for it.

        Cancelling the wait takes the request back, and ends the session.

        Raises:
            KiroError: it could not be opened, and has ended.

        """
        try:
            await self.guests.expected()
        except anyio.get_cancelled_exc_class():
            self.closing = True
            self.scope.cancel()
            raise
        return self.answer

    @property
    def running_turn(self) -> str:
        """The id of the turn that runs, or `""`."""
        running = self.turns.running if self.turns is not None else None
        return running.id if running is not None else ""

    def stir(self) -> None:
        """Take note that somebody came or left."""
        self.resting.stir()

    def came(self, client: Client) -> None:
        """A client came to the session."""
        self.desk.came(self, client)

    def went(self, client: Client) -> None:
        """A client left it."""
        self.desk.went(self, client)

    async def prompt(self, frame: Frame, when_busy: str, member: Member) -> PromptTurn:
        """Accept a prompt of a controller: see `Agent.prompt`; `when_busy` is "queue", "reject" or "interrupt".

        Raises:
            AgentUnable: the agent could not continue this session, or cannot take a part of the prompt.
            SessionBusy, SessionClosing, Unavailable, Fenced: see `Turns.prompt` and `Storing.recovered`.

        """
        order = self.orders.read(frame)
        turns = self.open_turns() if order else self.working()
        await self.storing.recovered()
        self.resting.stir()
        if order is None:
            self.working()
            check_prompt(frame, self.plan.engine, self.agent.info.abilities)
        if when_busy == "interrupt":
            turns.cancel()
        elif when_busy == "reject" and turns.running is not None:
            raise SessionBusy("The session has a turn that runs.", hint="Wait for its end, cancel it, or queue.")
        return await turns.prompt(frame, member.rendering.wrote)

    async def cancel(self) -> None:
        """Cancel what runs, what waits, and what is asked; waits for nobody."""
        if self.turns is not None:
            self.turns.cancel()
            self.questions.cancel()

    async def call(self, frame: Frame) -> Frame:
        """Answer a request about options, or pass any other on to the agent."""
        if own := OWN_METHODS.get(frame.method or ""):
            return Frame.answer(await own(self))
        if frame.method not in METHODS:
            self.working()
            return await self.rousing.ask(frame)
        response = await self.options.configure(frame)
        if not response.failed and len(self.clients.members) > 1:
            await self.show(self.options.now())
        return response

    async def ask_person(self, frame: Frame) -> str:
        """Ask a permission question of ours; the id of the option that was chosen, or `""`."""
        reply = await self.guard.ask(frame)
        return str((chosen(frame, reply.response) or {}).get("optionId") or "")

    def asker(self) -> Session:
        """Whose clients are asked what this one's agent asks: its own, else the nearest ancestor's that has some.

        Where nobody is at any of them, its own may know whom to ask.
        """
        return next((one for one in (self, *self.desk.ancestors(self)) if one.clients.attended), self)

    def missed(self, after: int, upto: int) -> AsyncGenerator[tuple[int, Sequence[Item]], None]:
        """See `Followed.missed`."""
        return missed(self, after, upto)

    async def close(self) -> None:
        """End the session and wait until its process is gone and its lease is free.

        After `limits.close_s` seconds the rest is cut short; the launcher's own ladder is bounded.

        Raises:
            EndingFailed: something of its process survives; the session stays, and can be closed again.

        """
        again = self.survivors.lasts
        self.survivors.begin()
        self.begin_closing(again=again)
        with anyio.move_on_after(self.tools.limits.close_s) as patience:
            await self.survivors.decided()
        if patience.cancelled_caught:
            self.scope.cancel()
            await self.survivors.decided()

    def abandon(self) -> None:
        """End what is left of it at once; what survives of its process is its launcher's to know."""
        self.scope.cancel()
        self.survivors.abandon()

    def begin_closing(self, *, again: bool = False) -> None:
        """Have the session end, and wait for nothing."""
        self.closing = True
        if again or (self.ready and (self.serving or self.refusal is not None)):
            self.send(Close())
        else:
            self.scope.cancel()

    def send(self, command: Any) -> None:
        """Give the session's task a lifecycle command.

        Raises:
            SessionBusy: too many wait already.

        """
        try:
            self.post.send_nowait(command)
        except anyio.WouldBlock as error:
            raise SessionBusy("The session has too many commands waiting.", hint="Try again.") from error
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            _LOG.debug("session %s had ended before its command", self.plan.info.id)

    def working(self) -> Turns:
        """The turns of a session that has an agent.

        Raises:
            KiroError: it has none, and the sentence says why.

        """
        if self.refusal is not None:
            raise self.refusal
        return self.open_turns()

    def open_turns(self) -> Turns:
        """The same, also of a session whose agent cannot go on with it.

        Raises:
            SessionClosing: it is not open.

        """
        if not self.ready or self.turns is None:
            raise SessionClosing("The session is not ready.", hint="Wait for the answer to its opening.")
        return self.turns

    async def tell(self, notice: Notice) -> None:
        """Record something outside the conversation, and tell the clients, also when the store does not take it now."""
        told = self.journal.filtered(recorded_notice(notice))
        shown = (notice_of(told),)
        try:
            await self.journal.event("notice", told, shows=shown)
        except Unavailable:
            self.clients.publish(0, shown)

    async def note(self, **changes: Any) -> None:
        """Keep fields of the metadata that have changed, durable before anybody is told."""
        info = self.metadata.info
        if changes := {key: value for key, value in changes.items() if getattr(info, key) != value}:
            await self.metadata.write(**changes)

    def fail(self, error: KiroError) -> None:
        """End the session because its record is another owner's or takes nothing more: `Storing` bears the rest."""
        self.failure = self.failure or error
        self.scope.cancel()

    def is_own(self, frame: Frame | Run) -> bool:
        """Whether a message of the agent is about this session, and not about a child of its own."""
        return frame.session is None or frame.session == self.agent_session or not self.agent_session

    def is_strange(self, frame: Frame | Run) -> bool:
        """Whether it is about another session of ours, for which nobody speaks; children keep their ids."""
        return not self.is_own(frame) and self.desk.taken(frame.session or "")

    def for_client(self, frame: _Said) -> _Said:
        """A message of the agent, or a run of them, under the id by which the client knows this session."""
        return frame.with_session(self.plan.info.id) if self.is_own(frame) else frame

    async def show(self, frames: Sequence[Frame]) -> None:
        """Record updates of our own, and show them, also when the store does not take them now."""
        for frame in map(self.journal.filtered_frame, map(self.for_client, frames)):
            try:
                await self.journal.message("shown", frame, shows=(frame,))
            except Unavailable:
                self.clients.publish(0, (frame,))
