"""Puts a mask in place of what was found: in whole texts, and in texts that come in pieces."""

from __future__ import annotations

from collections.abc import Callable

from kiro_redact.finding import Finder
from kiro_redact.kind import LONGEST, Span

_CONTEXT = 256
"""So much of what was shown is remembered, since a lead may stand there; see `Kind.lead`."""

_LOOK_BEHIND = 4
"""At the beginning of what is remembered an expression sees less than there was."""

Mask = Callable[[str], str]
"""What is shown for a secret of a kind."""


def redacted(finder: Finder, mask: Mask, text: str, *, before: str = "", cut: bool = False) -> str:
    """A text without its secrets; `before` is what stands in front of it, `cut` tells that it may go on elsewhere."""
    parts, done = [], len(before)
    whole = before + text
    for start, end, kind, _ in finder.spans(whole, cut=cut):
        parts += [whole[done:start], mask(kind)]
        done = end
    return "".join([*parts, whole[done:]]) if parts else text


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
