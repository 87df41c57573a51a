"""All kinds of secrets in one text, each looked for by itself and then put together."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kiro_redact.kind import Kind, Span
from kiro_redact.values import Values

_ESCAPES = ("\\u00", "\\/")
"""With these JSON hides letters that a person would read."""

_LONG = 2048
"""From so many bytes on it is faster to search once for each hint than once for all."""


class Finder:
    """Finds what is to be masked; what it finds does not depend on the pieces in which a text comes."""

    def __init__(self, kinds: Iterable[Kind], values: Iterable[str] = ()) -> None:
        """Look for all of these kinds, and for some very texts."""
        self._kinds = tuple(kinds)
        self._values = Values(values)
        hints = {hint for kind in self._kinds for hint in kind.hints} | self._values.hints
        self._hints = [hint.encode() for hint in sorted({*hints, *_ESCAPES})]
        self._hinted = re.compile(b"|".join(map(re.escape, self._hints)))

    def may_have(self, raw: bytes) -> bool:
        """Whether JSON text may hold a secret: a cheap look, with which most messages end."""
        small = raw.lower()
        if len(small) < _LONG:
            return self._hinted.search(small) is not None
        return any(hint in small for hint in self._hints)

    def spans(self, text: str, start: int = 0, *, final: bool = True, cut: bool = False) -> list[Span]:
        """The secrets in order, those that overlap as one; the last may be one that cannot be judged yet.

        For the arguments see `Kind.spans`.
        """
        small = text.lower()
        found = list(self._values.spans(text, start, final=final, cut=cut))
        for kind in self._kinds:
            if any(hint in small for hint in kind.hints):
                found += kind.spans(text, start, final=final, cut=cut)
        return _merged(sorted(found))


def _merged(spans: list[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in spans:
        if merged and span.start < merged[-1].end:
            merged[-1] = _joined(merged[-1], span)
        else:
            merged.append(span)
    return merged


def _joined(first: Span, second: Span) -> Span:
    end = max(first.end, second.end)
    # Where one of them cannot be judged yet, both together cannot.
    kind = first.kind if second.kind else ""
    return Span(first.start, end, kind, any(span.goes_on for span in (first, second) if span.end == end))
