"""One kind of secret as data, so that nobody writes an expression by hand whose cost could grow with its input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

LONGEST = 4096
"""A run of so many characters is judged by them, without its end; so much of a stream is held back at most."""

BEGUN = 8
"""Of a secret that was cut off, so many characters are one; fewer are not worth hiding."""


class Span(NamedTuple):
    """What is to be masked of a text: a secret of that kind; `goes_on` tells that what follows may belong to it.

    Without a kind it is what cannot be judged yet, up to the end of the text.
    """

    start: int
    end: int
    kind: str
    goes_on: bool = False


def _anything(_: str) -> bool:
    return True


@dataclass(frozen=True)
class Kind:
    """A secret is a run of characters behind something that gives it away and is shown.

    `lead` is the expression of what stands in front, of at most 160 characters; wherever one is, one of the `hints` is,
    in the text in small letters as well as in its JSON. The run is of `chars` (the inside of a character class), at
    `least` and at `most` so many; what matches `between` belongs to it only between them. `look` matches where it
    begins, within `LONGEST` characters of it, `after` where it ends, and `judge` says whether it is one. Of a secret
    that was cut off, `BEGUN` characters are enough where `begun` matches; where that is None, they are not.
    """

    name: str
    hints: tuple[str, ...]
    lead: str
    chars: str
    least: int
    most: int = 0
    between: str = ""
    look: str = ""
    after: str = ""
    begun: str | None = None
    judge: Callable[[str], bool] = _anything
    _lead: re.Pattern[str] = field(init=False, repr=False)
    _run: re.Pattern[str] = field(init=False, repr=False)
    _rest: re.Pattern[str] = field(init=False, repr=False)
    _look: re.Pattern[str] = field(init=False, repr=False)
    _after: re.Pattern[str] = field(init=False, repr=False)
    _begun: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Compile it; repetitions of runs are possessive, so that none is tried twice."""
        between = f"(?:{self.between or '(?!)'})"
        run = f"[{self.chars}]++(?:{between}++[{self.chars}]++)*+"
        begun = "(?!)" if self.begun is None else self.begun
        parts = {"_lead": self.lead, "_run": run, "_rest": f"{between}*+\\Z", "_look": self.look, "_after": self.after}
        parts["_begun"] = begun
        for name, expression in parts.items():
            object.__setattr__(self, name, re.compile(expression, re.ASCII))

    def spans(self, text: str, start: int = 0, *, final: bool = True, cut: bool = False) -> Iterator[Span]:
        """The secrets whose lead begins at `start` or behind it; the last may be one that cannot be judged yet.

        There is no such one in a text that is `final`. Where that was `cut` off, the beginning of a secret is one.
        """
        end = 0
        while found := self._lead.search(text, start):
            start, begin = found.start() + 1, found.end()
            if begin < end:  # inside a run that was judged already
                continue
            run = self._run.match(text, begin)
            end = run.end() if run else begin
            goes_on = end == len(text) if run is None else self._rest.match(text, end) is not None
            if goes_on and not final and not self._is_decided(end - begin):
                yield Span(begin, len(text), "")
                return
            if self._is_secret(text, begin, end) or (goes_on and cut and self._is_begun(text, begin, end)):
                yield Span(begin, end, self.name, goes_on)

    def _is_decided(self, length: int) -> bool:
        return length >= LONGEST or 0 < self.most < length

    def _is_begun(self, text: str, begin: int, end: int) -> bool:
        if end - begin < BEGUN or 0 < self.most < end - begin:
            return False
        return self._begun.match(text, begin, end) is not None

    def _is_secret(self, text: str, begin: int, end: int) -> bool:
        if end - begin < self.least or 0 < self.most < end - begin:
            return False
        judged = min(end, begin + LONGEST)
        fits = self._look.match(text, begin, judged) and self._after.match(text, end)
        return fits is not None and self.judge(text[begin:judged])
