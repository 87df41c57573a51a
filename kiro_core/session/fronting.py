"""What goes in front of the next prompt, because an agent's protocol has no other place for it."""

from __future__ import annotations

from typing import NamedTuple

_EXPLAINED = 20


class Told(NamedTuple):
    """What was put in front of one prompt; `text` is all of it."""

    preface: str
    conversation: str
    spawned: str
    explained: tuple[str, ...]
    text: str


class Front:
    """Keeps each part until an agent has finished a turn that began with it.

    `preface` is what the configuration says, `conversation` what was said with another agent program, and `spawned`
    what triggers said at the start.
    """

    def __init__(self) -> None:
        """Have nothing to tell."""
        self.preface: str = ""
        self.conversation: str = ""
        self.spawned: str = ""
        self._explained: tuple[str, ...] = ()
        self._last = ""

    @property
    def delivered(self) -> bool:
        """Whether nothing is left to be told of the configuration and the conversation."""
        return not self.preface and not self.conversation

    def explain(self, sentence: str) -> None:
        """Add what the agent could not be told while its turn ran; the last twenty are kept."""
        if sentence not in self._explained:
            self._explained = (*self._explained, sentence)[-_EXPLAINED:]

    def told(self, *said: str) -> Told:
        """What is told with the next prompt, together with what is `said` for that one: letters, and by triggers."""
        parts = (self.preface, self.conversation, self.spawned, *self._explained, *said)
        self._last = "\n\n".join(part for part in parts if part)
        return Told(self.preface, self.conversation, self.spawned, self._explained, self._last)

    def finished(self, told: Told) -> None:
        """The agent has finished a turn that began with it; one that has not may know nothing of it."""
        if (self.preface, self.conversation, self.spawned) == told[:3]:
            self.preface = self.conversation = self.spawned = ""
        self._explained = tuple(sentence for sentence in self._explained if sentence not in told.explained)

    def is_ours(self, title: str) -> bool:
        """Whether an agent made a session's title of what stood in front of the prompt."""
        return bool(title) and self._last.lstrip().startswith(title.rstrip(".\u2026 "))
