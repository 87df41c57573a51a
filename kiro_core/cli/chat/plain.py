"""A chat without a line editor: through a pipe, or at a terminal that can do no more (`TERM=dumb`)."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager
from typing import Final

import anyio

from kiro_core.cli.asking import Person, Typed
from kiro_core.cli.chat.told import FLOWING, Told
from kiro_core.cli.progress import progress
from kiro_core.cli.text import encoded, printable, tell_failure, tell_lines
from kiro_core.rpc import Stream

_BESIDE = frozenset({"tool", "notice", "note", "failure"})


class Plain:
    """Implements `Screen`.

    To a program goes what the agent says and nothing else; a few lines go to stderr. A person at a
    terminal is shown everything in one place, and has a prompt.
    """

    live = False

    def __init__(self, stream: Stream, gone: Callable[[], None], *, at_terminal: bool) -> None:
        """`gone` is called when nobody reads any more; `at_terminal` when a person is at both ends of `stream`."""
        self.person: Final = Person(Typed(stream).answer) if at_terminal else None
        self._stream = stream
        self._gone = gone
        self._at_terminal = at_terminal
        self._typed = b""
        self._in_line = ""

    async def lines(self) -> AsyncGenerator[str, None]:
        """See `Screen.lines`; a backslash at the end of a line joins the next one to it."""
        begun = ""
        while (line := await self._line("> " if not begun else ". ")) is not None:
            if line.endswith("\\"):
                begun += line.removesuffix("\\") + "\n"
                continue
            text, begun = begun + line, ""
            if text.strip():
                yield text
        if begun.strip():
            yield begun

    async def show(self, told: Told) -> None:
        """See `Screen.show`."""
        if self._at_terminal:
            await self._show_person(told)
        elif told.kind == "said":
            await self._say(told)
        elif told.kind in _BESIDE:
            await self.end()
            tell_lines(f"{told.text}\n")

    async def end(self) -> None:
        """See `Screen.end`."""
        if self._in_line:
            self._in_line = ""
            await self._write("\n")

    def waiting(self, what: str) -> AbstractAsyncContextManager[None]:
        """See `Screen.waiting`."""
        return progress(what)

    async def _show_person(self, told: Told) -> None:
        if told.kind != self._in_line:
            await self.end()
        if told.kind in FLOWING:
            await self._say(told)
        else:
            await self._write(told.text + "\n")

    async def _say(self, told: Told) -> None:
        if told.text:
            self._in_line = "" if told.text.endswith("\n") else told.kind
            await self._write(told.text)

    async def _line(self, prompt: str) -> str | None:
        if self._at_terminal:
            await self._write(prompt)
        while b"\n" not in self._typed:
            try:
                self._typed += await self._stream.receive()
            except anyio.EndOfStream:
                rest, self._typed = self._typed, b""
                return rest.decode("utf-8", "replace") if rest else None
        line, _, self._typed = self._typed.partition(b"\n")
        return line.decode("utf-8", "replace").removesuffix("\r")

    async def _write(self, text: str) -> None:
        try:
            await self._stream.send(encoded(printable(text) if self._at_terminal else text))
        except anyio.BrokenResourceError:
            self._gone()
        except OSError as error:
            tell_failure(f"The output could not be written: {error.strerror}.")
            self._gone()
