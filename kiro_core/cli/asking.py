"""Asks the person at the terminal; while nobody answers, the session goes on and Ctrl-C is heard."""

from __future__ import annotations

import termios
from collections.abc import Sequence
from typing import Any

import anyio

from kiro_core.cli.text import ask, one_line
from kiro_core.rpc import Stream


class Person:
    """Whoever sits at the terminal that is stdin and stderr."""

    def __init__(self, terminal: Stream) -> None:
        """Read answers from `terminal`."""
        self._terminal = terminal
        self._typed = b""
        self._attention = anyio.Lock()

    async def agrees(self, question: str) -> bool:
        """Ask for yes or no; an empty line is a yes, the end of the input a no."""
        async with self._attention:
            answer = await self._answer(f"{one_line(question)} [Y/n] ")
        return answer is not None and answer.lower() in ("", "y", "yes")

    async def choose(self, title: str, options: Sequence[dict[str, Any]]) -> dict[str, Any] | None:
        """Ask for one of the options (`{optionId, name, kind}`); None when the person leaves it open."""
        lines = [f"{number}. {one_line(str(option.get('name', '')))}" for number, option in enumerate(options, 1)]
        text = "\n  ".join([f"question: {one_line(title)}", *lines])
        async with self._attention:
            while True:
                answer = await self._answer(f"{text}\nYour answer [1-{len(options)}]: ")
                if answer is None:
                    return None
                if answer.isdecimal() and 1 <= int(answer) <= len(options):
                    return options[int(answer) - 1]

    async def _answer(self, question: str) -> str | None:
        # What was typed before the question is no answer to it.
        self._typed = b""
        termios.tcflush(2, termios.TCIFLUSH)
        ask(question)
        while b"\n" not in self._typed:
            try:
                self._typed += await self._terminal.receive()
            except anyio.EndOfStream:
                ask("\n")
                return None
        return self._typed.partition(b"\n")[0].decode("utf-8", "replace").strip()
