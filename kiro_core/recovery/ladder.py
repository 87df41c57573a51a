"""How an agent gets back what was said: each rung gives it less, and no step down is silent."""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from kiro_core.errors import AgentUnable, KiroError

TEXT = "text"
_VERBS = {"resume": "session/resume", "load": "session/load"}
_RUNGS = (*_VERBS, TEXT)


class Step(NamedTuple):
    """How far down the ladder it went: to which rung, and why not higher."""

    to: str
    reason: str


class Ladder:
    """The rungs `resume` and `load` (the agent's own session) and `text` (a new one that is told the conversation).

    A rung is tried once, however many processes it takes to try them all.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        """Use the rungs that the setting `recovery` allows; their order is always the same.

        `trying` is the rung that is being tried, `at` the one that worked, and `step` what has to be told then.
        """
        self._allowed = frozenset(allowed)
        self._failed: dict[str, KiroError] = {}
        self._again = True
        self.at: str = ""
        self.trying: str = ""
        self.step: Step | None = None

    def rung(self, abilities: AbstractSet[str], agent_session: str) -> str:
        """The highest rung that was not tried yet, for an agent that can do that and had that session.

        Raises:
            AgentUnable: none is left; the sentence says why, rung by rung.

        """
        why: list[str] = []
        for rung in _RUNGS:
            if not (reason := self._why_not(rung, abilities, agent_session)):
                if self._failed or rung == TEXT:
                    self.step = Step(rung, "; ".join(why))
                self.trying = rung
                return rung
            why.append(reason)
        raise AgentUnable(
            f"The agent cannot go on with this session: {'; '.join(why)}.",
            hint="The conversation can be read; begin a new session to go on.",
        ) from next(reversed(self._failed.values()), None)

    def reached(self) -> None:
        """Take note that the rung that is tried worked."""
        self.at, self.trying = self.trying, ""

    def step_down(self, error: KiroError) -> None:
        """Take note that the rung that is tried failed; one that had worked is tried once more.

        Raises:
            KiroError: that very error, when another rung would not help.

        """
        if self.at and self._again:
            self._again = False
            return
        if not self.trying or self.trying == TEXT:
            raise error
        self._failed[self.trying] = error
        self.trying = ""

    def _why_not(self, rung: str, abilities: AbstractSet[str], agent_session: str) -> str:
        if error := self._failed.get(rung):
            return f"{_VERBS[rung]} failed ({str(error).rstrip('.')})"
        if rung not in self._allowed:
            return f"the setting `recovery` leaves out '{rung}'"
        if rung in _VERBS and not agent_session:
            return f"there is no session of its own for {_VERBS[rung]}"
        if rung in _VERBS and rung not in abilities:
            return f"it has no {_VERBS[rung]}"
        return ""
