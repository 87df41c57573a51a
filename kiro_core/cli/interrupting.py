"""Lets a signal break into the loading of plugins: nobody looks at an event loop while one of them is imported."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_ASKING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def interruptible() -> Iterator[None]:
    """Have signals that ask the program to end raise `KeyboardInterrupt` in the block; ignored ones stay ignored.

    The handler is Python's own: no code of ours runs in one.
    """
    if threading.current_thread() is not threading.main_thread():  # signals are handled in that one only
        yield
        return
    before = {number: handler for number in _ASKING if (handler := signal.getsignal(number)) is not signal.SIG_IGN}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler or signal.SIG_DFL)
            signal.siginterrupt(number, False)  # noqa: FBT003 - as the event loop had it
