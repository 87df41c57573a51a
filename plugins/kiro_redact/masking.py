"""Puts a mask in place of what was found: in whole texts, and in texts that come in pieces."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable

from kiro_redact.finding import Finder
from kiro_redact.kind import LONGEST, Span

_CONTEXT = 256
"""So much of what was shown is remembered, since a lead may stand there; see `Kind.lead`."""

_LOOK_BEHIND = 4
"""At the beginning of what is remembered an expression sees less than there was."""

Mask = Callable[[str], str]
"""What is shown for a secret of a kind."""


class Masker:
    """Gives texts without their secrets. Its own masks are no text to it, so what it gives it gives again."""

    def __init__(self, finder: Finder, mask: Mask, masks: Iterable[str]) -> None:
        """Mask what `finder` finds; `masks` are all that there may be, none of which has a bracket inside."""
        self._finder = finder
        self._mask = mask
        self._masks = re.compile("|".join(map(re.escape, masks)))

    def masked(self, text: str, *, before: str = "", cut: bool = False) -> str:
        """A text as it may be shown; `before` stands in front of it, `cut` tells that it may go on elsewhere.

        A mask may be what shows that something beside it is a secret too. Each round leaves less that is no mask.
        """
        while (shown := self._once(text, before, cut=cut)) != text:
            text = shown
        return text

    def _once(self, text: str, before: str, *, cut: bool) -> str:
        parts, done = [], len(before)
        whole = before + text
        masks: list[tuple[int, int]] | None = None
        for start, end, kind, _ in self._finder.spans(whole, cut=cut):
            masks = [found.span() for found in self._masks.finditer(whole)] if masks is None else masks
            if end > done and not _overlaps(masks, start, end):
                parts += [whole[done:start], self._mask(kind)]
                done = end
        return "".join([*parts, whole[done:]]) if parts else text


def _overlaps(masks: list[tuple[int, int]], start: int, end: int) -> bool:
    before = bisect_left(masks, (end, 0))
    return before > 0 and masks[before - 1][1] > start


class Stream:
    """A text that comes in pieces: each is let go as soon as it is sure that no secret begins in it.

    Put together, what comes out is the whole text redacted.
    """

    def __init__(self, finder: Finder, mask: Mask) -> None:
        """Begin with nothing."""
        self._finder = finder
        self._mask = mask
        self._text = ""
        self._shown = 0
        self._masked = -1
        self._floor = 0

    @property
    def holds(self) -> bool:
        """Whether something is held back."""
        return self._shown < len(self._text)

    def feed(self, piece: str) -> str:
        """Take a piece; what can be let go now, of it and of what was held back."""
        self._text += piece
        return self._out(final=False)

    def flush(self, *, cut: bool = False) -> str:
        """Let everything go. Where the text was `cut` off, what looks like the beginning of a secret is masked.

        What is fed afterwards still follows what was fed before.
        """
        return self._out(final=True, cut=cut) if self.holds else ""

    def _out(self, *, final: bool, cut: bool = False) -> str:
        parts: list[str] = []
        spans = self._finder.spans(self._text, self._floor, final=final, cut=cut)
        for span in spans:
            parts.append(self._until(span.start))
            if not span.kind:
                break
            # One whose beginning had to be let go is masked from there on, and a mask is shown once.
            if span.end > self._shown and span.start != self._masked:
                parts.append(self._mask(span.kind))
                self._masked = span.start
            self._shown = max(self._shown, span.end)
        else:
            parts.append(self._until(len(self._text)))
        self._forget(spans[-1] if spans else None)
        return "".join(parts)

    def _until(self, end: int) -> str:
        start, self._shown = self._shown, max(self._shown, end)
        return self._text[start : self._shown]

    def _forget(self, last: Span | None) -> None:
        """Keep what is held back, and as much in front as may matter."""
        keep = self._shown
        if last is not None and (last.goes_on or not last.kind):
            keep = min(keep, last.start)
            # Of a secret without an end its beginning is enough.
            if last.kind and (excess := last.end - last.start - LONGEST - 1) > 0:
                at = last.start + LONGEST
                self._text = self._text[:at] + self._text[at + excess :]
                self._shown -= excess
        drop = keep - _CONTEXT
        if drop > 0:
            self._text, self._floor = self._text[drop:], _LOOK_BEHIND
            self._shown -= drop
            self._masked = max(self._masked - drop, -1)
