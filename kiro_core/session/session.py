"""One live session: what clients may ask of it, and the client that its agent talks to."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

import anyio

from kiro_core.errors import (
    AgentTimeout,
    Disconnected,
    KiroError,
    RpcError,
    SessionBusy,
    SessionClosing,
    Unavailable,
)
from kiro_core.frames import Frame
from kiro_core.journal import Journal, conversation, utc_now
from kiro_core.ports import Agent, Client, SessionDb
from kiro_core.rpc import INVALID_PARAMS, METHOD_NOT_FOUND
from kiro_core.session.mcp_start import McpStart
from kiro_core.session.outlet import Outlet
from kiro_core.session.patience import Patience
from kiro_core.session.plan import Plan, Tools
from kiro_core.session.questions import Questions
from kiro_core.session.turns import PromptTurn, Turns
from kiro_core.session.updates import observed_title, prompt_title, shown_while_loading, with_preface
from kiro_core.types import Notice, PeerInfo

_LOG = logging.getLogger(__name__)
_MAILBOX = 25
_REPLAY_BATCH = 64


@dataclass(frozen=True, slots=True)
class Close:
    """The lifecycle command that ends a session; its reply is `Session.ended`."""


class Session:
    """A session as others see it; the task in `kiro_core.session.life` owns its stack and its fields.

    It is the `Client` of the agent that it launched: it records what the agent says, shows it to
    its own client, and answers what the agent asks.
    """

    info = PeerInfo("kiro_core")
    """What the agent learns of its client: no file or terminal services are offered."""

    def __init__(self, plan: Plan, tools: Tools, client: Client | None, taken: Callable[[str], bool]) -> None:
        """Open nothing yet; `taken` tells which ids belong to sessions of the desk."""
        self.plan = plan
        self.tools = tools
        # A session outlives who asked for it: only its own commands and failures end it.
        self.scope = anyio.CancelScope(shield=True)
        self.opened = anyio.Event()
        self.ended = anyio.Event()
        self.post, self.mailbox = anyio.create_memory_object_stream[Close](_MAILBOX)
        self.outlet = Outlet(plan.info.id, client)
        self.mcp = McpStart(plan.mcp_servers if plan.engine.reports_mcp else ())
        self.ready = False
        self.closing = False
        self.loading = False
        self.failure: KiroError | None = None
        self.refusal: KiroError | None = None
        self.unopened: Exception | None = None
        self.agent_session = plan.info.agent_session
        self.answer = Frame.answer({})
        self.agent: Agent
        self.turns: Turns | None = None
        self.patience: Patience
        self._title = plan.info.title
        self._preface = "" if self._title else plan.preface
        self._taken = taken
        self._changes: dict[str, Any] = {}
        self._noting = anyio.Lock()

    def hold(self, db: SessionDb) -> None:
        """Take the record that the session's task holds."""
        self.db = db
        self.journal = Journal(db)
        self.questions = Questions(self.journal, self.tell, self.tools.limits.question_s)
        self.patience = Patience(self)

    # What a client may ask.

    async def opening(self) -> Frame:
        """Wait until the session is ready: the answer to the request that asked for it.

        Cancelling the wait takes the request back, and ends the session.

        Raises:
            KiroError: it could not be opened, and has ended.

        """
        try:
            await self.opened.wait()
        except anyio.get_cancelled_exc_class():
            self.closing = True
            self.scope.cancel()
            raise
        if not self.ready:
            raise self.unopened or SessionClosing("The session was closed before it was ready.")
        return self.answer

    async def prompt(self, frame: Frame) -> PromptTurn:
        """Accept a prompt: see `Agent.prompt`.

        Raises:
            AgentUnable: the agent could not continue this session; the sentence says why.
            SessionBusy, SessionClosing, Unavailable, Fenced: see `Turns.prompt`.

        """
        return await self._working().prompt(frame)

    async def cancel(self) -> None:
        """Cancel what runs, what waits, and what is asked; waits for nobody."""
        if self.turns is not None:
            self.turns.cancel()

    async def call(self, frame: Frame) -> Frame:
        """Pass a request on to the agent."""
        self._working()
        limit = self.tools.limits.control_s
        with anyio.move_on_after(limit):
            return await self.agent.call(self._for_agent(frame))
        raise AgentTimeout(f"The agent did not answer {frame.method} within {limit:g} s.")

    async def pass_on(self, frame: Frame) -> None:
        """Pass a notification on to the agent; an agent that does not read holds nobody up."""
        self._send_aside(self._for_agent(frame))

    async def replay(self, client: Client) -> None:
        """Show a client the conversation as recorded so far, in batches."""
        running = self.turns is not None and self.turns.running is not None
        records = self.tools.store.read(self.plan.info.id)
        frames = conversation(records, self.plan.info.id, self.db.head, running=running)
        batch: list[Frame] = []
        async with aclosing(frames):
            async for frame in frames:
                batch.append(frame)
                if len(batch) == _REPLAY_BATCH:
                    await client.notify(batch)
                    batch = []
        if batch:
            await client.notify(batch)

    def join(self, client: Client) -> object:
        """Give a live session to another client; what happens from now on is held for `outlet.release`.

        Raises:
            SessionClosing: it is ending.

        """
        if self.turns is None or self.turns.ended or self.closing:
            raise SessionClosing("The session is being closed.", hint="Open it again in a moment.")
        return self.outlet.hold(client)

    async def close(self) -> None:
        """End the session and wait until its process is gone and its lease is free.

        After `limits.close_s` seconds the rest is cut short; the launcher's own ladder is bounded.
        """
        self.closing = True
        if self.ready:
            self._send(Close())
        else:
            self.scope.cancel()
        with anyio.move_on_after(self.tools.limits.close_s):
            await self.ended.wait()
        self.scope.cancel()
        await self.ended.wait()

    def _send(self, command: Close) -> None:
        try:
            self.post.send_nowait(command)
        except anyio.WouldBlock as error:
            raise SessionBusy("The session has too many commands waiting.", hint="Try again.") from error
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            _LOG.debug("session %s had ended before its command", self.plan.info.id)

    def _working(self) -> Turns:
        if self.refusal is not None:
            raise self.refusal
        if self.turns is None:
            raise SessionClosing("The session is not ready.", hint="Wait for the answer to its opening.")
        return self.turns

    def _for_agent(self, frame: Frame) -> Frame:
        return frame.with_session(self.agent_session)

    # What the agent may ask, and what it says.

    async def notify(self, frames: Sequence[Frame]) -> None:
        """Record what the agent says, then show it: one append and one write for a chunk."""
        if self.loading:
            frames = [frame for frame in frames if shown_while_loading(frame)]
        if not frames:
            return
        try:
            await self.journal.updates(frames)
            self.patience.heard()
            shown = [frame for frame in frames if frame.fault is None and not self._is_strange(frame)]
            await self.outlet.show([self._for_client(frame) for frame in shown])
            await self._observe(frames)
        except KiroError as error:
            self.fail(error)

    async def request(self, frame: Frame) -> Frame:
        """Answer a request of the agent."""
        if frame.method != "session/request_permission":
            raise RpcError(METHOD_NOT_FOUND, f"The client does not offer {frame.method}.")
        if self._is_strange(frame):
            raise RpcError(INVALID_PARAMS, f"The session {frame.session} is not this agent's.")
        response = await self.questions.ask(frame, self.outlet.client, self._for_client(frame))
        self.patience.heard()
        return response

    async def tell(self, notice: Notice) -> None:
        """Tell the client something outside the conversation."""
        in_turn = self.turns is not None and self.turns.running is not None
        await self.outlet.tell(notice, self.journal, in_turn=in_turn)

    def fail(self, error: KiroError) -> None:
        """End the session because its record cannot be kept: nothing is shown that is not stored."""
        self.failure = self.failure or error
        self.scope.cancel()

    async def _observe(self, frames: Sequence[Frame]) -> None:
        for frame in frames:
            notice = self.mcp.follow(frame)
            if notice is not None:
                await self.tell(notice)
            title = observed_title(frame)
            if title and self._is_own(frame):
                await self.note(title=title)

    def _is_own(self, frame: Frame) -> bool:
        return frame.session is None or frame.session == self.agent_session or not self.agent_session

    def _is_strange(self, frame: Frame) -> bool:
        # A child session of the agent's own keeps its id; nobody speaks for another session of ours.
        return not self._is_own(frame) and self._taken(frame.session or "")

    def _for_client(self, frame: Frame) -> Frame:
        return frame.with_session(self.plan.info.id) if self._is_own(frame) else frame

    # What the turns need.

    async def outcome(self, turn: PromptTurn) -> Frame:
        """Have the turn with the agent, within the limits."""
        return await self.patience.outcome(turn, lambda: self._exchange(turn))

    def stop(self, turn: PromptTurn) -> None:
        """Make a running turn that was cancelled end."""
        self.questions.cancel()
        self.patience.look_again()
        if turn.dispatched:
            self._send_aside(self._cancel_frame())

    async def turn_ended(self) -> None:
        """Keep the time of the last turn."""
        await self.note()

    async def note(self, **changes: Any) -> None:
        """Replace the metadata, as of now; `changes` are fields of `SessionInfo`.

        What cannot be written now is written with the next change: the log has all that matters.
        """
        self._changes |= changes
        self._title = changes.get("title", self._title)
        async with self._noting:
            pending, self._changes = self._changes, {}
            try:
                await self.db.put_info(replace(self.db.info, updated=utc_now(), **pending))
            except Unavailable as error:
                self._changes = pending | self._changes
                _LOG.warning("session %s: its metadata could not be written: %s", self.plan.info.id, error)

    async def _exchange(self, turn: PromptTurn) -> Frame:
        await self.outlet.turn_begins()
        if not self._title:
            await self.note(title=prompt_title(turn.asked))
        frame = self._for_agent(turn.asked)
        if self._preface:
            frame, self._preface = with_preface(frame, self._preface), ""
        asked = await self.agent.prompt(frame)
        turn.dispatched = True
        if turn.cancelled:
            await self._sent(self._cancel_frame())
        return await asked.settled()

    def _cancel_frame(self) -> Frame:
        return Frame.of("session/cancel", {"sessionId": self.agent_session})

    def _send_aside(self, frame: Frame) -> None:
        """Send the agent a notification without waiting: one that does not read holds nobody up."""
        turns = self._working()
        if not turns.ended:
            turns.tasks.start_soon(self._sent, frame)

    async def _sent(self, frame: Frame) -> None:
        try:
            with anyio.move_on_after(self.tools.limits.control_s):
                await (self.agent.cancel(frame) if frame.method == "session/cancel" else self.agent.notify(frame))
        except Disconnected:
            _LOG.debug("session %s: the agent was gone before %s", self.plan.info.id, frame.method)
