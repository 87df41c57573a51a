"""Secrets that are known because the environment of the desk holds them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import quote

from kiro_core.frames import encode
from kiro_redact.kind import BEGUN, Span

VALUE = "environment"
"""The kind of these."""

_SAFE = re.compile(r"[A-Za-z0-9_.~+=%#@!^*:,-]{4,}")


def secret_values(environment: Mapping[str, str], globs: Iterable[str]) -> list[str]:
    """What the variables hold whose names match one of the globs, in any case; the longest first.

    What is shorter than eight characters, or the path of something, is none.
    """
    wanted = [glob.upper() for glob in globs]
    named = {value.strip() for name, value in environment.items() if any(fnmatchcase(name.upper(), g) for g in wanted)}
    found = {value for value in named if len(value) >= BEGUN and not _is_path(value)}
    written = {form for value in found for form in (value, encode(value)[1:-1].decode(), quote(value, safe=""))}
    return sorted(written, key=lambda value: (-len(value), value))


def _is_path(value: str) -> bool:
    try:
        return value.startswith(("/", "~")) and Path(value).expanduser().exists()
    except (OSError, RuntimeError, ValueError):
        return False


class Values:
    """These very texts, wherever they stand."""

    def __init__(self, values: Iterable[str]) -> None:
        """Look for some, the longest first; `hints` are as those of a `Kind`."""
        self._values = list(values)
        self._heads = {value[:length] for value in self._values for length in range(1, BEGUN)}
        self.hints: set[str] = {_hint(value) for value in self._values}

    def spans(self, text: str, start: int = 0, *, final: bool = True, cut: bool = False) -> Iterator[Span]:
        """See `Kind.spans`."""
        for value in self._values:
            at = text.find(value, start)
            while at >= 0:
                yield Span(at, at + len(value), VALUE)
                at = text.find(value, at + 1)
        begun = 0 if final and not cut else self._begun(text)
        if begun and not final:
            yield Span(len(text) - begun, len(text), "")
        elif begun >= BEGUN:
            yield Span(len(text) - begun, len(text), VALUE, goes_on=True)

    def _begun(self, text: str) -> int:
        """How many characters at the end of a text may be the beginning of one."""
        most = next((length for length in range(min(BEGUN - 1, len(text)), 0, -1) if text[-length:] in self._heads), 0)
        for value in self._values:
            at = text.find(value[:BEGUN], max(len(text) - len(value) + 1, 0))
            while 0 <= at < len(text) - most:
                if value.startswith(text[at:]):
                    most = len(text) - at
                at = text.find(value[:BEGUN], at + 1)
        return most


def _hint(value: str) -> str:
    """A part of it that JSON writes as it is; where there is none, anything may hold it."""
    return max(_SAFE.findall(value), key=len, default="").lower()
