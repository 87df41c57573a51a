"""Arranges what is shown into lines: whole ones that stay as they are, and one that still grows."""

from __future__ import annotations

from collections.abc import Callable

from prompt_toolkit.utils import get_cwidth

from kiro_core.cli.chat.told import FLOWING, Kind, Told, styled
from kiro_core.cli.text import printable

_TAB = 8
_ROWS = 10
"""A line grows to this height; then the rows that are full are as good as whole lines."""
_MEASURED = 65536
"""A longer text is not measured character by character."""


class Layout:
    """The lines of a window that is `columns()` wide."""

    def __init__(self, columns: Callable[[], int], *, colours: bool) -> None:
        """Begin at the beginning of a line."""
        self._columns = columns
        self._colours = colours
        self._kind: Kind = "said"
        self._growing = ""

    @property
    def growing(self) -> str:
        """The line that is not whole yet, styled."""
        return styled(self._kind, self._growing, colours=self._colours)

    def add(self, told: Told) -> str:
        """Take something to show; what stays as it is from now on, styled."""
        same = told.kind == self._kind and told.kind in FLOWING
        ended = "" if same else self.end()
        self._kind = told.kind
        text = self._growing + printable(told.text)
        if told.kind not in FLOWING:
            text += "\n"
        whole, newline, growing = text.expandtabs(_TAB).rpartition("\n")
        full, self._growing = self._full_rows(growing)
        return ended + styled(told.kind, whole + newline + full, colours=self._colours)

    def end(self) -> str:
        """End the line that grows; the line, styled."""
        growing, self._growing = self._growing, ""
        return styled(self._kind, growing + "\n", colours=self._colours) if growing else ""

    def _full_rows(self, text: str) -> tuple[str, str]:
        """Split a line that has become too high where a terminal breaks it, so that nobody sees it."""
        columns = max(self._columns(), 1)
        if len(text) < _ROWS * columns / 2:  # a character takes two cells at most
            return "", text
        rows = [text[at : at + columns] for at in range(0, len(text), columns)]
        if not text.isascii() and len(text) <= _MEASURED:
            rows = _measured_rows(text, columns)
        return ("".join(f"{row}\n" for row in rows[:-1]), rows[-1]) if len(rows) > _ROWS else ("", text)


def _measured_rows(text: str, columns: int) -> list[str]:
    rows, used, start = [], 0, 0
    for at, character in enumerate(text):
        width = get_cwidth(character)
        if used + width > columns:
            rows.append(text[start:at])
            used, start = 0, at
        used += width
    return [*rows, text[start:]]
