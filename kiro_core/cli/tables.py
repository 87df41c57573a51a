"""One way to print a table: with lines and colour for a person, as plain aligned columns for a program."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kiro_core.cli.text import one_line, show


def print_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows of one line each; on a terminal long cells wrap."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(columns, cells)
    else:
        _print_plain([list(columns), *cells])


def _print_plain(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        show(line.rstrip() + "\n")


def _print_rich(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE_HEAD, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")  # whole commands, even where a word is wider than its cell
    for row in rows:
        table.add_row(*map(Text, row))  # Text: brackets in a name are no markup
    Console().print(table)
