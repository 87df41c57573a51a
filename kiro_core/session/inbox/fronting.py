"""What a turn tells the agent of its letters, until one has ended well in which it was told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from kiro_core.crew.letters import recorded_letter
from kiro_core.frames import Frame
from kiro_core.journal import prompted
from kiro_core.recovery import Untold as Left
from kiro_core.session.inbox.wording import in_front, told
from kiro_core.types import Letter


class Telling(NamedTuple):
    """What one turn tells: `messages` are the letters that are read with it, `text` what stands in front of its prompt.

    `parts` are the texts of all letters that it tells, by what they are kept under.
    """

    messages: tuple[str, ...] = ()
    text: str = ""
    parts: Mapping[str, str] = {}

    @property
    def recorded(self) -> dict[str, Any]:
        """For the record `turn_begun`."""
        return {
            **({"messages": list(self.messages)} if self.messages else {}),
            **({"told": self.text} if self.text else {}),
        }


NOTHING = Telling()


class Untold:
    """Letters that were read with or in a turn which did not end well; an agent may know nothing of them."""

    def __init__(self) -> None:
        """Begin with none."""
        self._parts: dict[str, str] = {}
        self._asked: set[str] = set()

    def telling(self, prompt: Frame, unread: Sequence[Letter]) -> Telling:
        """What the turn of that prompt tells; the letters that the prompt holds itself are not told twice."""
        holds = set(prompted(prompt).messages)
        front = [letter for letter in unread if letter.id not in holds]
        again = [text for name, text in self._parts.items() if name not in holds]
        parts = {**self._parts, **{letter.id: told(letter) for letter in unread}}
        return Telling(tuple(letter.id for letter in unread), in_front(front, again), parts)

    def left(self, found: Left) -> None:
        """An earlier life of the session left that."""
        self.begun({"": found.text} if found.text else {})
        self.asked(filter(None, map(recorded_letter, found.letters)))

    def begun(self, parts: Mapping[str, str]) -> None:
        """The agent is being told that, or was when its turn was cut off."""
        self._parts.update(parts)

    def asked(self, letters: Iterable[Letter]) -> None:
        """The agent has asked for these in its turn: whether the answer comes to it, only the end of that tells."""
        for letter in letters:
            self._parts[letter.id] = told(letter)
            self._asked.add(letter.id)

    def finished(self, telling: Telling, *, whole: bool) -> None:
        """It has finished that turn; one that is not `whole`, since it was cancelled, may have cut off what it asked.

        What was put in front of the prompt it knows all the same.
        """
        for name in [*telling.parts, *(self._asked if whole else ())]:
            self._parts.pop(name, None)
        self._asked.clear()
