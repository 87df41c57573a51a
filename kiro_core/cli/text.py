"""What agents and foreign files say is made safe for a terminal, which would obey control sequences in it."""

from __future__ import annotations

import os
import re
import sys
from typing import TextIO

_USUAL_COLUMNS = 80
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
        _to_stderr(f"\x1b[2m{hint}\x1b[0m\n" if coloured(sys.stderr) else f"{hint}\n")


def tell_lines(text: str) -> None:
    """Write several lines to stderr, with their breaks and indents."""
    _to_stderr(printable(text))


def ask(question: str) -> None:
    """Write a question to stderr, with its lines as they are; the answer is typed behind it."""
    _to_stderr(printable(question))


def tell_passing(line: str) -> None:
    """Show a line at the terminal that is stderr, cut to its width, for `clear_passing` to take back."""
    width = os.get_terminal_size(2).columns or _USUAL_COLUMNS
    _to_stderr(one_line(line)[: max(width - 1, 1)])


def clear_passing() -> None:
    """Take back what `tell_passing` has shown."""
    _to_stderr("\n" if dumb() else "\r\x1b[K")


def coloured(stream: TextIO) -> bool:
    """Whether a stream is a terminal and the person at it wants colours (https://no-color.org)."""
    return stream.isatty() and not dumb() and not os.environ.get("NO_COLOR")


def give_up(fd: int) -> None:
    """Let what is still to be written to stdout or stderr go nowhere; Python would complain of it at its end."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, fd)
    os.close(null)


def dumb() -> bool:
    """Whether the terminal obeys no control sequences."""
    return os.environ.get("TERM", "") in ("", "dumb")


def _to_stderr(text: str) -> None:
    try:
        sys.stderr.flush()
        sys.stderr.buffer.write(encoded(text))
        sys.stderr.buffer.flush()
    except OSError:
        # It is gone, with its terminal say: nobody is left who could be told.
        give_up(2)
