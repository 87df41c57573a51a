"""Matches a pattern in time that grows with the text and no faster, since whoever writes patterns may mean no good."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial

from kiro_core.agentconfig.syntax import Chain, Choice, Edge, Node, Refused, Repeat, Sign, read_expression

MOST_STATES = 2000
"""So large may a pattern become with its repetitions written out."""

_MOST_KEPT = 5000
ANYTHING = Repeat(Sign(re.compile(".", re.DOTALL)), 0, None)
_DONE = 0


@dataclass(slots=True)
class _State:
    """Goes on to others: over a character that `fits`, at an `edge`, or at once."""

    fits: re.Pattern[str] | None = None
    edge: str = ""
    to: tuple[int, ...] = ()


class Expression:
    """A regular expression as a machine that is in several states at once, and never goes back (Thompson, 1968)."""

    def __init__(self, pattern: str | Node, *, anywhere: bool = False) -> None:
        """Of a pattern as `read_expression` takes it, or read already; with `anywhere` it need only occur in a text.

        Raises:
            Refused: it cannot be read, or is too large.

        """
        node = read_expression(pattern) if isinstance(pattern, str) else pattern
        self._states = [_State()]
        self._begin = frozenset([self._add(Chain((ANYTHING, node, ANYTHING)) if anywhere else node, _DONE)])
        self._kept: dict[tuple[frozenset[int], str, str], frozenset[int]] = {}

    def fullmatch(self, text: str) -> bool:
        """Whether it matches all of the text."""
        states, before = self._begin, ""
        for sign in text:
            states = self._after(states, before, sign)
            if not states:
                return False
            before = _kind(sign)
        return _DONE in self._closed(states, before, "")

    def _after(self, states: frozenset[int], before: str, sign: str) -> frozenset[int]:
        """Where one character leads; what was found once is kept, so that most texts need no search."""
        key = (states, before, sign)
        if (known := self._kept.get(key)) is not None:
            return known
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        closed = [self._states[each] for each in self._closed(states, before, _kind(sign))]
        found = frozenset(state.to[0] for state in closed if state.fits is not None and state.fits.fullmatch(sign))
        self._kept[key] = found
        return found

    def _closed(self, states: frozenset[int], before: str, after: str) -> set[int]:
        """All states that are reached between two characters."""
        seen, open_ = set(states), list(states)
        while open_:
            state = self._states[open_.pop()]
            if state.fits is None and _holds(state.edge, before, after):
                more = [each for each in state.to if each not in seen]
                seen.update(more)
                open_ += more
        return seen

    def _add(self, node: Node, after: int) -> int:
        """The state in which `node` begins that goes on to `after`."""
        match node:
            case Sign(fits):
                return self._state(fits=fits, to=(after,))
            case Edge(kind):
                return self._state(edge=kind, to=(after,))
            case Chain(parts):
                after = self._state(to=(after,))
                for part in reversed(parts):
                    after = self._add(part, after)
                return after
            case Choice(options):
                return self._state(to=tuple(self._add(option, after) for option in options))
            case Repeat():
                return self._repeated(node, after)

    def _repeated(self, repeat: Repeat, after: int) -> int:
        once = partial(self._add, repeat.node)
        if repeat.most is None:
            loop = self._state()
            self._states[loop].to = (once(loop), after)
            after = loop
        for _ in range((repeat.most or repeat.least) - repeat.least):
            after = self._state(to=(once(after), after))
        for _ in range(repeat.least):
            after = once(after)
        return after

    def _state(self, fits: re.Pattern[str] | None = None, edge: str = "", to: tuple[int, ...] = ()) -> int:
        if len(self._states) >= MOST_STATES:
            raise Refused("becomes too large with its repetitions")
        self._states.append(_State(fits, edge, to))
        return len(self._states) - 1


def _kind(sign: str) -> str:
    return "word" if sign.isalnum() or sign == "_" else "other"


def _holds(edge: str, before: str, after: str) -> bool:
    match edge:
        case "start":
            return not before
        case "end":
            return not after
        case "word":
            return (before == "word") != (after == "word")
        case "no word":
            return (before == "word") == (after == "word")
    return True
