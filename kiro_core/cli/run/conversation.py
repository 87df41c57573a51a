"""One turn from the command line, from the opening of the desk to the exit code."""

from __future__ import annotations

import signal
import sys
from contextlib import AsyncExitStack, suppress
from typing import Any

import anyio
from anyio.abc import TaskGroup

from kiro_core import claim_stdio, messages
from kiro_core.cli.asking import Person, Typed
from kiro_core.cli.busy import Busy
from kiro_core.cli.engine_question import settle_engine
from kiro_core.cli.failing import CANCELLED, DENIED, DONE, FAILED
from kiro_core.cli.finding import find_wanted
from kiro_core.cli.opening import Opened, open_session
from kiro_core.cli.options import Given
from kiro_core.cli.progress import opened, progress
from kiro_core.cli.run.client import RunClient
from kiro_core.cli.run.order import Order
from kiro_core.cli.run.output import FORMS
from kiro_core.cli.signals import follow_signals
from kiro_core.cli.text import tell
from kiro_core.cli.trust_question import ensure_trust
from kiro_core.errors import KiroError, McpFailed, innermost, unwrapped
from kiro_core.frames import Frame
from kiro_core.ports import Agent, Desk
from kiro_core.registry import Registry
from kiro_core.rpc import Stream, failure, result
from kiro_core.settings import Limits, Settings


async def converse(given: Given, order: Order) -> int:
    """Have the turn; the exit code.

    Raises:
        KiroError: it could not be had, or it failed.

    """
    at_terminal = order.prompt is not None and order.output == "text" and sys.stdin.isatty() and sys.stderr.isatty()
    shown_on_terminal = sys.stdout.isatty()
    stream = claim_stdio()
    person = Person(Typed(stream).answer) if at_terminal else None
    scope = anyio.CancelScope()
    client = RunClient(stream, FORMS[order.output](), person, scope, terminal=shown_on_terminal, required=order.servers)
    conversation = Conversation(given, order, client, scope)
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            await tasks.start(follow_signals, conversation.interrupt)
            await conversation.run(stream, person, tasks)
            tasks.cancel_scope.cancel()
    return conversation.code()


_LAST_WORDS_S = 1.0


class Conversation:
    """The turn; it ends early when `scope` is cancelled, and its session with it."""

    def __init__(self, given: Given, order: Order, client: RunClient, scope: anyio.CancelScope) -> None:
        """Begin with `run`."""
        self._given = given
        self._order = order
        self._client = client
        self._scope = scope
        self._interrupted = False
        self._telling = anyio.CancelScope()
        self._response: Frame | None = None
        self._agent: Agent | None = None
        self._limits = Limits()

    async def run(self, stdin: Stream, person: Person | None, tasks: TaskGroup) -> None:
        """Open a desk and a session, have the turn, end both, and tell the outcome."""
        try:
            with self._scope:
                await self._have(await self._order.read_prompt(stdin), person, tasks)
        except Exception as error:
            if self._response is None and isinstance(cause := innermost(error), KiroError):
                self._response = failure(cause)
            raise
        finally:
            with self._telling:
                if self._interrupted:
                    self._telling.deadline = anyio.current_time() + _LAST_WORDS_S
                await self._client.finish(self._response)

    async def _have(self, prompt: str, person: Person | None, tasks: TaskGroup) -> None:
        settings, registry = self._given.load()
        self._limits = settings.limits
        wanted = self._order.wanted
        engine = wanted.engine
        if wanted.is_new and not engine:
            engine = await settle_engine(settings, self._given.config, person)
        self._client.untrusting = await ensure_trust(settings, registry, wanted, person)
        async with AsyncExitStack() as stack:
            opening = self._given.desk((settings, registry), "run", agent=wanted.agent, engine=engine)
            desk = await opened(stack.enter_async_context(opening), "opening what the settings choose", tasks)
            agent = await stack.enter_async_context(desk.attach(self._client))
            await self._open(desk, agent)
            await self._require((settings, registry), desk)
            if self._client.missing is None:
                self._response = await self._turn(agent, prompt)
            self._client.leaving = True
            await self._close(agent)

    async def interrupt(self, number: signal.Signals) -> None:
        """Cancel the turn, which has a moment to end; before it has begun, or the second time, end at once.

        Behind the turn there is only output left, which nobody may be reading.
        """
        if self._response is not None:
            self._telling.cancel()
            return
        again, self._interrupted = self._interrupted, True
        if again or self._agent is None:
            self._scope.cancel()
            return
        asked = "" if number == signal.SIGINT else f"Another process asked this one to end ({number.name}). "
        tell(f"{asked}Cancelling; another Ctrl-C ends at once.")
        self._scope.deadline = anyio.current_time() + self._limits.close_s
        try:
            await self._agent.cancel(messages.cancel(self._session))
        except KiroError:
            self._scope.cancel()

    def code(self) -> int:
        """The exit code of a run that has ended.

        Raises:
            RpcError: the turn failed.
            McpFailed: an MCP server that has to start did not.

        """
        if self._interrupted:  # also when the output is gone: both come of a terminal that was closed
            return CANCELLED
        if self._client.missing is not None:
            raise self._client.missing
        if self._client.unread:
            return FAILED
        if self._response is None:
            return CANCELLED
        reason = result(self._response, "The turn failed").get("stopReason")
        if self._client.report.denied or reason == "refusal":
            return DENIED
        return CANCELLED if reason == "cancelled" else DONE

    async def _open(self, desk: Desk, agent: Agent) -> None:
        wanted = self._order.wanted
        recorded = await find_wanted(desk, wanted)

        async def attempt() -> Opened:
            called = wanted.engine or (recorded.engine if recorded else "") or "the agent"
            async with progress(f"starting {called}"):
                return await open_session(agent, wanted.opening(recorded))

        if recorded is None:
            session = await attempt()
        else:
            busy = Busy(desk, recorded.id, self._limits.question_s)
            session = await busy.opened(attempt, self._order.when_busy)
        await self._client.begin(session.about)

    async def _require(self, loaded: tuple[Settings, Registry], desk: Desk) -> None:
        if not self._order.servers:
            return
        from kiro_core.cli.mcp.requiring import require

        try:
            await require(loaded, self._order.servers, desk, self._client.report.about)
        except McpFailed as error:
            self._client.missing = error

    async def _close(self, agent: Agent) -> None:
        """End the session, which otherwise lingers where a desk is served; others who have it open keep it."""
        with anyio.move_on_after(self._limits.close_s), suppress(KiroError):
            await agent.close(messages.close(self._session))

    @property
    def _session(self) -> Any:
        return self._client.report.about["sessionId"]

    async def _turn(self, agent: Agent, prompt: str) -> Frame:
        frame = messages.prompt(self._session, prompt, when_busy=self._order.when_busy)
        try:
            turn = await agent.prompt(frame)
            self._agent = agent
            return await turn.settled()
        except KiroError as error:
            return failure(error)
