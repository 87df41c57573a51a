"""Ctrl-C ends a run where nothing can get lost: a program that was started is one that will be ended."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class _Interrupts:
    """Whether a signal came, and whether it has to wait."""

    def __init__(self) -> None:
        self.held = False
        self._waits = False

    def came(self, _signal: int, _frame: FrameType | None) -> None:
        """Raise it, or keep it until it may be raised; from then on the rest of them is ignored."""
        for number in _SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        self._waits = True
        self.let_through()

    def let_through(self) -> None:
        if self._waits and not self.held:
            self._waits = False
            raise KeyboardInterrupt


_INTERRUPTS = _Interrupts()


@contextmanager
def once() -> Iterator[None]:
    """Within it the first SIGINT or SIGTERM raises `KeyboardInterrupt`, and what cleans up behind it is left alone."""
    before = [signal.signal(number, _INTERRUPTS.came) for number in _SIGNALS]
    try:
        yield
    finally:
        for number, handler in zip(_SIGNALS, before, strict=True):
            signal.signal(number, handler)


@contextmanager
def held() -> Iterator[None]:
    """Within it nothing is raised; what came meanwhile is raised at its end."""
    _INTERRUPTS.held = True
    try:
        yield
    finally:
        _INTERRUPTS.held = False
        _INTERRUPTS.let_through()
