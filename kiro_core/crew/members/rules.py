"""What one session may do to another: every refusal has the name of its rule."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

import anyio

from kiro_core.errors import CrewRefused
from kiro_core.types import LETTER_CHARACTERS

_LETTERS = 10
_WINDOW_S = 60.0
MOST_HOPS = 20
CONTEXT_CHARACTERS = 4000


def refused(rule: str, sentence: str, *, hint: str = "") -> CrewRefused:
    """The error for a rule."""
    return CrewRefused(sentence, hint=hint, rule=rule)


def require_text(text: str, most: int = LETTER_CHARACTERS) -> str:
    """A text that can be a letter, or a task.

    Raises:
        CrewRefused: it is empty or too long ("length").

    """
    if not text.strip():
        raise refused("length", "There is no text.", hint="Say something.")
    return require_length(text, most)


def require_length(text: str, most: int) -> str:
    """A text of so many characters at most.

    Raises:
        CrewRefused: it is longer ("length").

    """
    if len(text) > most:
        raise refused(
            "length",
            f"The text has {len(text)} characters, and {most} are allowed.",
            hint="Say it in fewer words, or write it to a file and name that.",
        )
    return text


def require_hops(hops: int) -> int:
    """How many letters lead to what a turn sends, to which so many led.

    Raises:
        CrewRefused: these sessions only answer each other ("loop").

    """
    if hops >= MOST_HOPS:
        raise refused(
            "loop",
            f"{MOST_HOPS} letters led to this one, and no person wrote any of them.",
            hint="End the turn; a prompt of a person begins anew.",
        )
    return hops + 1


class Rate:
    """How many letters a session sends."""

    def __init__(self, clock: Callable[[], float] = anyio.current_time) -> None:
        """Count by the event loop's clock."""
        self._clock = clock
        self._sent: dict[str, deque[float]] = {}

    def count(self, sender: str, letters: int = 1) -> None:
        """Take note of letters of a session that go out together; a person may send as many as they like.

        So many at once may be more than are allowed, or none could be sent to a large group: the next waits longer.

        Raises:
            CrewRefused: it has sent as many as it may ("rate").

        """
        if not sender:
            return
        now, sent = self._clock(), self._sent.setdefault(sender, deque())
        while sent and sent[0] <= now - _WINDOW_S:
            sent.popleft()
        if len(sent) >= _LETTERS:
            raise refused(
                "rate",
                f"{_LETTERS} letters within {_WINDOW_S:g} seconds are all that a session may send.",
                hint="Say more in one letter, or wait.",
            )
        sent.extend([now] * letters)

    def forget(self, sender: str) -> None:
        """A session has ended."""
        self._sent.pop(sender, None)
