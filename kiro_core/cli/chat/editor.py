"""A chat at a terminal: the person types at the bottom of the window, and what is shown scrolls above it."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import anyio
from prompt_toolkit.completion import Completer
from prompt_toolkit.formatted_text import ANSI
from prompt_toolkit.history import History
from prompt_toolkit.output.vt100 import Vt100_Output

from kiro_core.cli.asking import Person
from kiro_core.cli.chat.layout import Layout
from kiro_core.cli.chat.leaving import Leaving
from kiro_core.cli.chat.line import Line, Taken, enter_and
from kiro_core.cli.chat.told import Told
from kiro_core.cli.failing import CANCELLED
from kiro_core.cli.text import coloured, one_line, printable


@dataclass(slots=True, eq=False)
class _Question:
    text: str
    answer: str | None = None
    answered: anyio.Event = field(default_factory=anyio.Event)


class Editor:
    """Implements `Screen`; one line at a time is typed: what the person says, or the answer to a question."""

    live = True

    def __init__(self, history: History, completer: Completer, leaving: Leaving) -> None:
        """Show nothing before `lines`."""
        self.person: Final = Person(self._answer)
        self._leaving = leaving
        self._output = Vt100_Output.from_pty(sys.stdout)
        # A terminal would tell where its cursor is by typing, which may come late and reach another program.
        self._output.enable_cpr = False
        self._layout = Layout(lambda: self._output.get_size().columns, colours=coloured(sys.stdout))
        self._waiting = ""
        self._question: _Question | None = None
        keys = enter_and(self.interrupt, busy=lambda: leaving.busy)
        self._saying = Line(self._output, self._above, keys, history, completer)
        self._replying = Line(self._output, self._asked, keys)

    async def lines(self) -> AsyncGenerator[str, None]:
        """See `Screen.lines`."""
        draft = ""
        while True:
            if self._question is not None:
                await self._reply(self._question)
                continue
            line = await self._saying.read(draft)
            if line is None:
                return
            draft = line if isinstance(line, Taken) else ""
            if not isinstance(line, Taken):
                self._leaving.heard()
                if line.strip():
                    yield line

    async def show(self, told: Told) -> None:
        """See `Screen.show`."""
        self._print(self._layout.add(told))

    async def end(self) -> None:
        """See `Screen.end`."""
        self._print(self._layout.end())

    @asynccontextmanager
    async def waiting(self, what: str) -> AsyncIterator[None]:
        """See `Screen.waiting`."""
        self._waiting = f"{one_line(what)}…"
        self._print("")
        try:
            yield
        finally:
            self._waiting = ""
            self._print("")

    def interrupt(self) -> None:
        """Do what Ctrl-C does, and say it."""
        if sentence := self._leaving.interrupt():
            self._print(self._layout.add(Told("note", sentence)))

    def write(self, text: str) -> None:
        """Show a log record; see `logging.StreamHandler`."""
        self._print(self._layout.end() + printable(text))

    def flush(self) -> None:
        """Do nothing: what was written is shown."""

    def _asked(self) -> ANSI:
        """What stands in front of an answer: the question, which is shown nowhere before its answer can be typed."""
        return ANSI(self._question.text if self._question is not None else "")

    def _above(self) -> ANSI:
        """What stands in front of what the person says: a sign, below the line in which the agent speaks."""
        above = "" if self._saying.done else self._layout.growing or self._waiting
        return ANSI(f"{above}\n> " if above else "> ")

    def _print(self, lines: str) -> None:
        """Write whole lines above what is typed."""
        both = (self._saying, self._replying)
        try:
            if lines:
                for line in both:
                    line.hide()
                self._output.write_raw(lines)
                self._output.flush()
        except OSError:  # the terminal is gone
            self._leaving.leave(CANCELLED)
        for line in both:
            line.draw()

    async def _answer(self, text: str) -> str | None:
        """Have a question answered in the place of the line that is typed, which comes back with its text."""
        question = self._question = _Question(printable(text))
        self._print(self._layout.end())
        self._saying.take_away()
        try:
            await question.answered.wait()
        finally:
            self._question = None
            self._replying.take_away()  # where the question was taken back
        return question.answer

    async def _reply(self, question: _Question) -> None:
        self._replying.forget()
        line = await self._replying.read()
        question.answer = line.strip() if line is not None else None
        question.answered.set()
        if self._question is question:
            self._question = None
