"""A turn's way to the agent: the prompt in the form that it can take, and the cancel that follows it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

import anyio

from kiro_core.errors import Disconnected, KiroError, MiddlewareFailed, Vetoed
from kiro_core.frames import Frame
from kiro_core.journal import Journal, spoken, unfinished_calls
from kiro_core.notices import WAITING
from kiro_core.ports import SessionDb, Turn
from kiro_core.prompt import prompt_verb
from kiro_core.session.clients import Said
from kiro_core.session.hooking import STOP
from kiro_core.session.inbox import NOTHING, Telling
from kiro_core.session.prompts import adapted, check_prompt, prompt_title, with_preface
from kiro_core.session.turn import PromptTurn, cancelled
from kiro_core.types import Notice

if TYPE_CHECKING:
    from kiro_core.session.session import Session

_LOG = logging.getLogger(__name__)
_WAITING_OPTIONS = [
    {"optionId": "send", "name": "Send them first", "kind": "allow_once"},
    {"optionId": "later", "name": "Not now", "kind": "reject_once"},
    {"optionId": "drop", "name": "Drop them", "kind": "reject_always"},
]


class Exchange:
    """What turns need of their session (`Engaged`)."""

    def __init__(self, session: Session) -> None:
        """Have turns with whatever agent the session has; `spoken` tells that one was sent a prompt."""
        self._session = session
        self.db: SessionDb = session.db
        self.journal: Journal = session.journal
        self.spoken: bool = False
        self._waking: anyio.CancelScope | None = None
        self._asked_about_waiting = False
        self._begun_at = 0
        self._asked: Turn | None = None
        self._given_up: Turn | None = None
        self._aside = 0

    def prepare(self) -> None:
        """Put the configuration's prompt in front of the first turn; a recorded conversation has had it."""
        plan = self._session.plan
        had = plan.loaded and plan.info.spoken and not plan.changed
        front = self._session.front
        front.preface, front.conversation = "" if had else plan.preface, ""

    def retell(self, conversation: str) -> None:
        """Put everything in front of the next turn, for an agent that begins anew."""
        self._session.front.preface, self._session.front.conversation = self._session.plan.preface, conversation

    async def outcome(self, turn: PromptTurn) -> Frame:
        """Have the turn with the agent, within the limits; one that has ended is started again."""
        session = self._session
        if (order := session.orders.read(turn.asked)) is not None:
            await self._begin(turn, NOTHING, order=True)
            return await session.orders.obey(order)
        while True:
            with anyio.CancelScope() as self._waking:
                await session.rousing.awake()
            if turn.cancelled or turn.failure is not None:
                return cancelled()
            try:
                return await session.patience.outcome(turn, lambda: self._exchange(turn))
            except Disconnected:
                # Before the session's task learns it: the next try must not find the same agent.
                session.serving = False
                if turn.dispatched or session.closing:
                    raise

    def stop(self, turn: PromptTurn) -> None:
        """Make a running turn that was cancelled or has failed end."""
        if self._waking is not None:
            self._waking.cancel()
        self._session.questions.cancel()
        self._session.patience.look_again(turn)
        if turn.failure is not None:
            self._given_up = self._asked
        if turn.dispatched or turn.failure is not None:
            self.send_aside(self._cancel_frame())

    async def wants_waiting(self, waiting: Sequence[PromptTurn]) -> bool | None:
        """Ask the client, once, whether prompts that a killed desk left behind are to be sent."""
        if self._session.tools.waiting_prompts == "resume":
            return True
        if self._asked_about_waiting:
            return None
        self._asked_about_waiting = True
        texts = "; ".join(repr(prompt_title(turn.shown)) for turn in waiting)
        title = f"Send first what was accepted and not sent before this session was cut off: {texts}"
        call = {
            "toolCallId": f"{WAITING}{waiting[0].id}",
            "title": title,
            "kind": "other",
            "status": "pending",
        }
        params = {"sessionId": self._session.agent_session, "toolCall": call, "options": _WAITING_OPTIONS}
        chosen = await self._session.ask_person(Frame.of("session/request_permission", params, id=0))
        return {"send": True, "drop": False}.get(chosen)

    async def turn_ended(self) -> None:
        """Keep the time of the last turn."""
        self._session.resting.stir()
        self._session.inbox.turn_ended()
        await self._session.metadata.note()

    def send_aside(self, frame: Frame) -> None:
        """Send the agent a notification without waiting: one that does not read holds nobody up."""
        turns = self._session.working()
        if turns.ended or self._offered(frame):
            return
        self._aside += 1
        turns.tasks.start_soon(self._sent_aside, frame)

    def _offered(self, frame: Frame) -> bool:
        """Whether the agent took it at once; never past what is still on its way."""
        offer: Callable[[Frame], bool] | None = prompt_verb(self._session.agent, "offer", "notify", "cancel")
        return offer is not None and not self._aside and offer(frame)

    async def _exchange(self, turn: PromptTurn) -> Frame:
        session = self._session
        if not session.metadata.info.title:
            await session.metadata.note(title=prompt_title(turn.shown))
        session.calls.forget()
        await session.trusting.settle()
        await session.options.keep_guarded()
        # Last: what is started in place of the agent has something to load too.
        if await session.listener.end_of_loading():
            await session.tell(_forgot(session.plan.engine.title or session.plan.engine.name))
        # It may be another one than when the prompt was accepted.
        check_prompt(turn.asked, session.plan.engine, session.agent.info.abilities)
        frame = adapted(turn.asked, session.agent.info.abilities).with_session(session.agent_session)
        said = await session.hooking.prompted(turn.asked)
        telling = await session.inbox.telling(turn.asked)
        told = session.front.told(telling.text, said)
        if told.text:
            frame = with_preface(frame, told.text)
        await self._let_go()
        if turn.cancelled:
            return cancelled()
        self.spoken = True
        await self._begin(turn, telling)
        try:
            response = await self._had(turn, frame)
        except (Vetoed, MiddlewareFailed):
            if session.layers.reached:  # nobody waits for its answer any more
                self._given_up = session.layers.sent
                self.send_aside(self._cancel_frame())
            raise
        if not turn.dispatched:
            # What it told is not told again: if that was not let pass, nothing behind it would be.
            session.inbox.finished(telling, whole=True)
            return response
        if not response.failed:
            session.restarts.finished()
            session.front.finished(told)
            session.inbox.finished(telling, whole=response.result.get("stopReason") != "cancelled")
            await session.note(agent_session=session.agent_session, spoken=True)
        await self._after()
        return response

    async def _had(self, turn: PromptTurn, frame: Frame) -> Frame:
        """Send the prompt, and wait for its outcome; one that was not let pass is not dispatched."""
        self._session.layers.expect()
        try:
            self._asked = asked = await self._session.agent.prompt(frame)
        except Vetoed as veto:
            return await self._session.layering.refused(veto)
        turn.dispatched = True
        if turn.cancelled:
            await self._sent(self._cancel_frame())
        response = await asked.settled()
        self._asked = None
        return response

    async def _after(self) -> None:
        """Run what the configuration wants at the end of a turn, which is over whatever becomes of that."""
        hooking, session = self._session.hooking, self._session.plan.info.id
        await hooking.quiet()
        if hooking.has(STOP):
            records = self._session.tools.store.read(session, self._begun_at)
            await hooking.stopped(await spoken(records, session, self.db.head))

    async def _begin(self, turn: PromptTurn, telling: Telling, *, order: bool = False) -> None:
        """Record that a turn begins, which shows its prompt; an `order` is none of the conversation with the agent."""
        self._begun_at = self.db.head
        told = {"session": self._session.agent_session, **({"order": True} if order else {}), **telling.recorded}
        shows = (Said(turn.id, turn.shown),)
        await self._session.inbox.begin(
            telling, lambda consume: self.journal.event("turn_begun", told, turn.id, shows, consume)
        )
        turn.begun = True

    async def end_calls(self) -> None:
        """Show the tool calls of a turn that was cut off as failed: nobody will complete them."""
        session = self._session
        records = session.tools.store.read(session.plan.info.id, self._begun_at)
        await session.show(await unfinished_calls(records, session.plan.info.id, self.db.head))

    async def _let_go(self) -> None:
        """Wait until the agent has ended the turn that was given up: it has one at a time."""
        given_up, self._given_up = self._given_up, None
        if given_up is not None:
            with anyio.move_on_after(self._session.tools.limits.control_s), suppress(KiroError):
                await given_up.settled()

    def _cancel_frame(self) -> Frame:
        return Frame.of("session/cancel", {"sessionId": self._session.agent_session})

    async def _sent_aside(self, frame: Frame) -> None:
        try:
            await self._sent(frame)
        finally:
            self._aside -= 1

    async def _sent(self, frame: Frame) -> None:
        agent = self._session.agent
        try:
            with anyio.move_on_after(self._session.tools.limits.control_s):
                await (agent.cancel(frame) if frame.method == "session/cancel" else agent.notify(frame))
        except Disconnected:
            _LOG.debug("session %s: the agent was gone before %s", self._session.plan.info.id, frame.method)
        except KiroError as error:
            _LOG.warning("session %s: %s did not reach the agent: %s", self._session.plan.info.id, frame.method, error)


def _forgot(engine: str) -> Notice:
    sentence = f"{engine} says that it loaded its session and has shown none of its history; it may not remember it."
    return Notice("history_not_shown", sentence)
