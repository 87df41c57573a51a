"""Asks the person at the terminal; while nobody answers, the session goes on and Ctrl-C is heard."""

from __future__ import annotations

import termios
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

import anyio

from kiro_core import messages
from kiro_core.cli.text import ask, one_line
from kiro_core.cli.wording import asked_about, title_of
from kiro_core.frames import Frame
from kiro_core.notices import TRUST
from kiro_core.rpc import METHOD_NOT_FOUND, Stream


class Typed:
    """What a person types at the terminal that is stdin and stderr."""

    def __init__(self, terminal: Stream) -> None:
        """Read lines from `terminal`."""
        self._terminal = terminal

    async def answer(self, question: str) -> str | None:
        """The line that is typed behind a question, stripped; None at the end of the input."""
        # What was typed before the question is no answer to it.
        termios.tcflush(2, termios.TCIFLUSH)
        ask(question)
        typed = b""
        while b"\n" not in typed:
            try:
                typed += await self._terminal.receive()
            except anyio.EndOfStream:
                ask("\n")
                return None
        return typed.partition(b"\n")[0].decode("utf-8", "replace").strip()


class Person:
    """Whoever sits there, and is asked one thing at a time."""

    def __init__(self, answer: Callable[[str], Awaitable[str | None]]) -> None:
        """`answer` shows a question and returns the line typed behind it, or None at the end of the input."""
        self._answer = answer
        self._attention = anyio.Lock()

    async def agrees(self, question: str, about: Sequence[str] = (), *, usually: bool = True) -> bool:
        """Ask for yes or no, below lines that say what about; an empty line means `usually`, the end of input no."""
        text = "\n".join([*map(one_line, about), f"{one_line(question)} {'[Y/n]' if usually else '[y/N]'} "])
        async with self._attention:
            answer = await self._answer(text)
        return answer is not None and (answer.lower() in ("y", "yes") or (usually and not answer))

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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a question about a tool call; `option` is None where nobody chose one."""

    call: str
    title: str
    option: dict[str, Any] | None

    @property
    def outcome(self) -> str:
        """`allowed` or `denied`."""
        refused = self.option is None or str(self.option.get("kind")).startswith("reject")
        return "denied" if refused else "allowed"

    @property
    def answer(self) -> Frame:
        """The response to the request; an error where nobody chose, and then the desk denies."""
        if self.option is None:
            return Frame.failure(METHOD_NOT_FOUND, "Nobody is here who could be asked.")
        return messages.chosen(self.option)


def refuses_trust(frame: Frame) -> Frame | None:
    """The answer of somebody who was asked already, when the desk asks whether a folder is trusted; else None."""
    call = frame.params.get("toolCall")
    if not isinstance(call, dict) or call.get("toolCallId") != TRUST:
        return None
    return messages.refuse(frame)


async def permission(frame: Frame, person: Person | None) -> Verdict:
    """Ask the person, if there is one, what `session/request_permission` asks."""
    options = messages.options_of(frame)
    call = frame.params.get("toolCall")
    call = call if isinstance(call, dict) else {}
    title = title_of(call)
    option = await person.choose(asked_about(title, frame.params), options) if person and options else None
    return Verdict(str(call.get("toolCallId", "")), title, option)
