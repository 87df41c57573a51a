"""Logs go to stderr, one line an event, without tracebacks unless somebody debugs."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TypeAlias

from kiro_core.cli.text import printable

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Lines(logging.Formatter):
    def __init__(self, *, tracebacks: bool, begin: str = "kiro-core") -> None:
        super().__init__(f"{begin}: %(levelname)s: %(message)s", "%Y-%m-%dT%H:%M:%S%z")
        self.tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - logging's name
        if self.tracebacks:
            return super().formatException(ei)
        return f"  {type(ei[1]).__name__}: {ei[1]}"


def begin_logging(verbosity: int, *, debug: bool) -> None:
    """Log warnings, with `verbosity` 1 also what happens, with 2 everything; `debug` adds tracebacks."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines(tracebacks=debug))
    logging.basicConfig(level=_LEVELS[min(verbosity, 2)], handlers=[handler])


def begin_dated_lines() -> None:
    """Begin each line of the log with its time: in a file of ours nobody else does."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler.formatter, _Lines):
            handler.setFormatter(_Lines(tracebacks=handler.formatter.tracebacks, begin="%(asctime)s"))
