"""Logs go to stderr, one line an event, without tracebacks unless somebody debugs."""

from __future__ import annotations

import logging
from types import TracebackType
from typing import TypeAlias

from kiro_core.cli.text import printable

_LEVELS = (logging.WARNING, logging.INFO, logging.DEBUG)
_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


class _Lines(logging.Formatter):
    def __init__(self, *, tracebacks: bool) -> None:
        super().__init__("kiro-core: %(levelname)s: %(message)s")
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        return printable(super().format(record))

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - logging's name
        if self._tracebacks:
            return super().formatException(ei)
        return f"  {type(ei[1]).__name__}: {ei[1]}"


def begin_logging(verbosity: int, *, debug: bool) -> None:
    """Log warnings, with `verbosity` 1 also what happens, with 2 everything; `debug` adds tracebacks."""
    handler = logging.StreamHandler()
    handler.setFormatter(_Lines(tracebacks=debug))
    logging.basicConfig(level=_LEVELS[min(verbosity, 2)], handlers=[handler])
