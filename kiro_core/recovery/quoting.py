"""The end of a long conversation in a bounded text, in which nothing that was said can pass for anything else."""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

_TAG = re.compile(r"<(?=\s*/?\s*conversation)", re.IGNORECASE)


class _Part(NamedTuple):
    """What one speaker said without a break; `label` is ours, and so is the text of a part without one."""

    label: str
    text: str

    @property
    def size(self) -> int:
        return len(self.label) + len(self.text) + len("\n")

    def end(self, length: int) -> _Part | None:
        """At most that much of its end, still quoted; None when that is nothing."""
        room = length - len(self.label) - len("> \n")
        return _Part(self.label, f"> {self.text[-room:]}") if self.label and room > 0 else None


class Quoting:
    """Collects what was said, and keeps the end of it, at most `characters` as `text` gives it."""

    def __init__(self, characters: int) -> None:
        """Begin with nothing."""
        self._characters = characters
        self._parts: deque[_Part] = deque()
        self._length = 0
        self._cut = False
        self._speaker, self._joint = "", ""
        self._open: list[str] = []
        self._size = 0

    def say(self, speaker: str, text: str, joint: str | None = None) -> None:
        """Add what somebody said; with a `joint` it goes on with what that speaker said right before."""
        if joint is None or speaker != self._speaker:
            self.end()
        self._speaker, self._joint = speaker, joint or ""
        self._open.append(text)
        self._size += len(text) + len(self._joint)
        if self._size > 4 * self._characters:
            # One answer may be larger than all memory; what is quoted is never shorter.
            self._open = [self._joint.join(self._open)[-self._characters :]]
            self._size, self._cut = len(self._open[0]), True

    def end(self) -> None:
        """What is said next begins a message."""
        said = self._joint.join(self._open).strip()
        if said:
            lines = _TAG.sub("&lt;", said).splitlines()
            self._add(_Part(f"{self._speaker}:\n", "\n".join(f"> {line}" for line in lines)))
        self._open, self._size, self._speaker = [], 0, ""

    def remark(self, sentence: str) -> None:
        """Add a line of ours."""
        self.end()
        self._add(_Part("", sentence))

    def text(self) -> tuple[str, bool]:
        """The end of all that, each line with its newline, and whether something is left out."""
        self.end()
        parts: list[_Part | None] = [*self._parts]
        excess = self._length - self._characters
        if excess > 0:
            self._cut = True
            parts[0] = self._parts[0].end(self._parts[0].size - excess)
        return "".join(f"{part.label}{part.text}\n" for part in parts if part), self._cut

    @property
    def is_full(self) -> bool:
        """Whether what was said before could not be told any more."""
        return self._length >= self._characters

    def _add(self, part: _Part) -> None:
        self._parts.append(part)
        self._length += part.size
        while self._length - self._parts[0].size >= self._characters:
            self._length -= self._parts.popleft().size
            self._cut = True
