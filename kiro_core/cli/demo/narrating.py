"""What is told of the demo as it goes on: a transcript for a person, or an object a step for a program."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Protocol

from kiro_core.cli.demo.step import Step
from kiro_core.cli.text import coloured, encoded, printable, show

_LINES = 24
_COLUMNS = 200
_BOLD, _DIM, _PLAIN = "1", "2", ""


class Narrator(Protocol):
    """Who tells it. What a person types is a `command`, what comes of it is `output`."""

    def say(self, text: str) -> None:
        """Tell something, between the commands."""
        ...

    def begin(self, step: Step, number: int, steps: int) -> None:
        """A step begins."""
        ...

    def command(self, line: str) -> None:
        """A command is started."""
        ...

    def output(self, text: str) -> None:
        """Commands have printed this."""
        ...

    def end(self, step: Step, seconds: float, reason: str) -> None:
        """A step has ended; an empty `reason` means that it has shown what it promises."""
        ...


class Words:
    """For a person, on stdout: words, and lines that can be copied behind a `$`; colour only on a terminal."""

    def say(self, text: str) -> None:
        """See `Narrator.say`."""
        _print(text)

    def begin(self, step: Step, number: int, steps: int) -> None:
        """See `Narrator.begin`."""
        _print("")
        _print(f"{number}/{steps}  {step.shows}", _BOLD)
        _print(f"\n{step.how}\n")

    def command(self, line: str) -> None:
        """See `Narrator.command`."""
        _print(f"$ {line}", _BOLD)

    def output(self, text: str) -> None:
        """See `Narrator.output`; what is long is cut, and that is told."""
        for line in _trimmed(text.splitlines()):
            _print(f"  {line}".rstrip(), _DIM)

    def end(self, step: Step, seconds: float, reason: str) -> None:
        """See `Narrator.end`; a failure is told by the command as any other."""
        if not reason:
            _print(f"\nShown: {step.proof} ({seconds:.1f} s)")


class Objects:
    """For a program, on stdout: `{step, shows, ok, seconds}` a line, and `reason` where it is not ok."""

    def say(self, text: str) -> None:
        """Nothing."""

    def begin(self, step: Step, number: int, steps: int) -> None:
        """Nothing."""

    def command(self, line: str) -> None:
        """Nothing."""

    def output(self, text: str) -> None:
        """Nothing."""

    def end(self, step: Step, seconds: float, reason: str) -> None:
        """See `Narrator.end`."""
        told = {"step": step.name, "shows": step.shows, "ok": not reason, "seconds": round(seconds, 1)}
        show(json.dumps(told | ({"reason": reason} if reason else {})) + "\n")


def _trimmed(lines: Sequence[str]) -> Iterator[str]:
    for line in islice(lines, _LINES):
        yield line if len(line) <= _COLUMNS else f"{line[:_COLUMNS]} ..."
    if len(lines) > _LINES:
        yield f"... and {len(lines) - _LINES} lines more"


def _print(text: str, style: str = _PLAIN) -> None:
    text = printable(text)
    if not style or not coloured(sys.stdout):
        show(f"{text}\n")
        return
    sys.stdout.flush()
    sys.stdout.buffer.write(encoded(f"\x1b[{style}m{text}\x1b[0m\n"))
    sys.stdout.buffer.flush()
