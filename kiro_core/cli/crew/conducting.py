"""One run from the command line, from the opening of the desk to the exit code."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from typing import Any

import anyio

from kiro_core import claim_stdio
from kiro_core.cli.asking import Person, Typed
from kiro_core.cli.crew.asking import Asking, choices
from kiro_core.cli.crew.drawing import Display, Lines, Moving
from kiro_core.cli.crew.lines import report_text
from kiro_core.cli.crew.orders import Order
from kiro_core.cli.failing import CANCELLED, DONE, FAILED
from kiro_core.cli.options import Given
from kiro_core.cli.signals import follow_signals
from kiro_core.cli.text import dumb, encoded, printable, tell
from kiro_core.dispatcher import Dispatcher
from kiro_core.errors import KiroError, unwrapped
from kiro_core.rpc import Stream
from kiro_core.types import RunView, SessionId

_FACE = "crew"
_LAST_WORDS_S = 1.0


async def conduct(given: Given, order: Order, *, watch: bool, output: str) -> int:
    """Drive the run until it is over; the exit code.

    Raises:
        KiroError: it did not begin, or could not go on.

    """
    has_person = sys.stdin.isatty() and sys.stderr.isatty() and output == "text"
    shown_on_terminal = sys.stdout.isatty()
    stream = claim_stdio()
    person = Person(Typed(stream).answer) if has_person else None
    display = Moving() if watch and sys.stderr.isatty() and not dumb() else Lines()
    conductor = Conductor(given, order, display, person, asks=watch)
    with unwrapped():
        async with anyio.create_task_group() as tasks:
            await tasks.start(follow_signals, conductor.interrupt)
            await conductor.conduct()
            await _print(stream, conductor.told(output), terminal=shown_on_terminal)
            tasks.cancel_scope.cancel()
    return conductor.code()


class Conductor:
    """The desk and the run; a signal cancels the one or both."""

    def __init__(self, given: Given, order: Order, display: Display, person: Person | None, *, asks: bool) -> None:
        """Begin with `conduct`; with `asks` the person is asked what agents ask."""
        self._given = given
        self._order = order
        self._display = display
        self._person = person
        self._asking = Asking(person, display) if person is not None and asks else None
        self._scope = anyio.CancelScope()
        self._desk: Dispatcher | None = None
        self._run = SessionId("")
        self._view: RunView | None = None
        self._report: Mapping[str, Any] = {}
        self._signals: list[signal.Signals] = []
        self._question: anyio.CancelScope | None = None
        self._is_cancelled = False

    async def conduct(self) -> None:
        """Drive the run, and take its report.

        Raises:
            KiroError: it did not begin, or could not go on.

        """
        try:
            with self._scope:
                async with self._given.desk(self._given.load(), _FACE, agent="", engine="") as desk:
                    self._run = await self._order.begin(desk, self._asking)
                    self._desk = desk
                    tell(f"run: {self._run}")
                    async with self._display.shown():
                        await self._drive(desk)
                    self._report = await desk.crew.report(self._run)
        finally:
            if self._run and not (self._report and self._report["ended"]):
                self._tell_how_to_go_on()

    async def interrupt(self, number: signal.Signals) -> None:
        """Ctrl-C cancels the run, and a second one ends the desk; so does every other signal, and the run can go on.

        While a person is asked what becomes of the run, nothing of it is at work: Ctrl-C leaves that for later.
        """
        again = bool(self._signals)
        self._signals.append(number)
        if number != signal.SIGINT or again or self._desk is None:
            self._scope.cancel()
            return
        if self._question is not None:
            self._question.cancel()
            return
        with self._display.paused():
            tell("Cancelling; another Ctrl-C waits for no report.")
        try:
            await self._desk.crew.cancel(self._run)
            self._is_cancelled = True
        except KiroError:
            self._scope.cancel()

    def _tell_how_to_go_on(self) -> None:
        if self._is_cancelled:
            tell(f"The run was cancelled; its report: kiro-core crew resume {self._run[:8]}")
            return
        if cut_off := _cut_off(self._view):
            tell(f"Cut off, and waiting for --rerun or --skip: {', '.join(cut_off)}")
        tell(f"Go on with the run: kiro-core crew resume {self._run[:8]}")

    def told(self, output: str) -> str:
        """What goes to stdout."""
        if not self._report or self._view is None:
            return ""
        return json.dumps(self._report) + "\n" if output == "json" else _text(self._view, self._report)

    def code(self) -> int:
        """The exit code of a run that is over."""
        if self._signals and self._signals[0] != signal.SIGINT:
            return 128 + self._signals[0]
        if self._signals or self._report["outcome"] == "cancelled":
            return CANCELLED
        return DONE if self._report["outcome"] == "succeeded" else FAILED

    async def _drive(self, desk: Dispatcher) -> None:
        while True:
            view = await self._follow(desk)
            cut_off = _cut_off(view)
            if not cut_off or self._person is None or not self._order.asks:
                return
            rerun, skip = await self._chosen(self._person, cut_off)
            if not rerun and not skip:
                return
            await desk.crew.resume(self._run, rerun=rerun, skip=skip, client=self._asking)

    async def _chosen(self, person: Person, cut_off: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
        try:
            with self._display.paused(), anyio.CancelScope() as self._question:
                return await choices(person, cut_off)
            tell("")  # behind the question
        finally:
            self._question = None
        return (), ()

    async def _follow(self, desk: Dispatcher) -> RunView:
        async with aclosing(desk.crew.follow(self._run)) as views:
            async for view in views:
                self._view = view
                self._display.show(view)
                if self._asking is not None:
                    self._asking.stages = {stage.session: stage.id for stage in view.stages}
        return view


def _cut_off(view: RunView | None) -> list[str]:
    return [stage.id for stage in view.stages if stage.phase == "unknown"] if view is not None else []


def _text(view: RunView, report: Mapping[str, Any]) -> str:
    lines: Sequence[str] = list(report_text(view, report))
    return "\n".join(lines) + "\n"


async def _print(stream: Stream, text: str, *, terminal: bool) -> None:
    if text:
        await stream.send(encoded(printable(text) if terminal else text))
