"""How the process ends: with its stdin, by a directive, or not at all."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import NoReturn

_STUBBORN_S = 600  # not for ever: whoever tests with it may be killed as well
_jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
_stubborn = threading.Event()


def run(reader: Callable[[], None]) -> NoReturn:
    """Run the reader in a thread and end with it; the main thread stays free, since only it may set signals."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    threading.Thread(target=_read, args=(reader,), daemon=True).start()
    while job := _jobs.get():
        job()
    os._exit(0)  # all is written, and what the interpreter does at its end takes a sixth of a short life


def ignore_term() -> None:
    """From the return on SIGTERM does not end this process, and the end of stdin only after ten minutes."""
    done = threading.Event()

    def ignore() -> None:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        done.set()

    stay()
    _jobs.put(ignore)
    done.wait()


def stay() -> None:
    """From now on the end of stdin ends this process only after ten minutes."""
    _stubborn.set()


def die(status: int, when: str) -> None:
    """End at once, with a last word on stderr only."""
    os.write(2, f"The rehearsal agent ends {when} with status {status}, as it was told.\n".encode())
    os._exit(status)


def _read(reader: Callable[[], None]) -> None:
    try:
        reader()
    finally:
        if _stubborn.is_set():
            time.sleep(_STUBBORN_S)
        _jobs.put(None)
