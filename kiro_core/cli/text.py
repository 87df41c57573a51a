"""What agents and foreign files say is made safe for a terminal, which would obey control sequences in it."""

from __future__ import annotations

import os
import re
import sys

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """Without control characters (C0, DEL, C1), except newline and tab."""
    return _CONTROLS.sub("", text)


def one_line(text: str) -> str:
    """Printable, and any white space as one space."""
    return printable(" ".join(text.split()))


def encoded(text: str) -> bytes:
    """UTF-8; what has no encoding, such as half a surrogate pair, becomes a question mark."""
    return text.encode("utf-8", "replace")


def show(text: str) -> None:
    """Write text to stdout: made printable for a terminal, as it is for a program."""
    sys.stdout.flush()
    sys.stdout.buffer.write(encoded(printable(text) if sys.stdout.isatty() else text))
    sys.stdout.buffer.flush()


def tell(line: str) -> None:
    """Write one line to stderr, for a person."""
    _to_stderr(one_line(line) + "\n")


def tell_failure(sentence: str, hint: str = "") -> None:
    """Write a failure to stderr: a sentence, and in the next lines what to do."""
    tell(f"kiro-core: {sentence}")
    if hint := printable(hint).strip():
        _to_stderr(f"\x1b[2m{hint}\x1b[0m\n" if _coloured() else f"{hint}\n")


def tell_lines(text: str) -> None:
    """Write several lines to stderr, with their breaks and indents."""
    _to_stderr(printable(text))


def ask(question: str) -> None:
    """Write a question to stderr, with its lines as they are; the answer is typed behind it."""
    _to_stderr(printable(question))


def _coloured() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR")


def _to_stderr(text: str) -> None:
    sys.stderr.flush()
    sys.stderr.buffer.write(encoded(text))
    sys.stderr.buffer.flush()
