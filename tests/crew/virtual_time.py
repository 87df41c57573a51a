"""Time that passes at once when nobody has anything to do, on both event loops."""

import asyncio
import selectors
from types import SimpleNamespace

import anyio
import trio
from trio.testing import MockClock

from kiro_core.crew import clock

EPOCH = 1_700_000_000.0


class _Jumping(selectors.DefaultSelector):
    """Waits for nothing: has the loop's clock go on instead."""

    now = 0.0

    def select(self, timeout=None):
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everybody waits for ever")
        if not ready:
            self.now += max(timeout, 0)
        return ready


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self):
        self._jumping = _Jumping()
        super().__init__(self._jumping)

    def time(self):
        return self._jumping.now


def in_virtual_time(backend, function):
    """`anyio.run` in virtual time, from 0 on; a run's own clock then says `EPOCH` and what has passed."""
    machine, clock.time = clock.time, SimpleNamespace(time=lambda: EPOCH + anyio.current_time())
    try:
        if backend == "trio":  # by itself: anyio before 4.12 passes no clock on
            return trio.run(function, clock=MockClock(autojump_threshold=0))
        return anyio.run(function, backend=backend, backend_options={"loop_factory": _Loop})
    finally:
        clock.time = machine
