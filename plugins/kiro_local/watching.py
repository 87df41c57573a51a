"""The desk's side of its watchdog, which ends what the desk has launched should the desk be killed."""

from __future__ import annotations

import fcntl
import logging
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from kiro_core import processes
from kiro_core.processes import ProcessMark
from kiro_local import belonging, sweeping

_PIPE_BYTES = 1 << 18
_GONE_S = 5.0
_OWED = 2048
"""Bytes that it need not be told at once; with a line behind them they are less than a pipe takes as a whole."""
_DEAF_TO = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What asks all programs of a kind or of a service to end must not end a watchdog before its desk."""

_WATCHDOG = Path(__file__).with_name("watchdog.py")

_log = logging.getLogger(__name__)


class Watch:
    """A watchdog, which is started with the first launch, and another one with the next launch after it has died."""

    def __init__(self, receipts: Path) -> None:
        """`receipts` is the folder from which it removes those of the launches that it ended."""
        self._receipts = receipts
        self._listed: dict[str, str] = {}
        self._watchdog: subprocess.Popen[bytes] | None = None
        self._owed = ""
        self._lacking = ""

    def expect(self, launch: str) -> None:
        """A launch begins."""
        self._listed[launch] = f"{launch}\n"
        if not self._say(self._listed[launch]):
            self._begin()

    def tell(self, launch: str, leader: ProcessMark) -> None:
        """The process that it began with is known; one that has ended already has no start token."""
        self._listed[launch] = f"{launch} {leader.pid} {leader.started}\n"
        self._say(self._listed[launch])

    def forget(self, launch: str) -> None:
        """Nothing is left of a launch.

        The watchdog, which finds so by itself, is told with the next launch: each word wakes it, while we work.
        """
        del self._listed[launch]
        self._owed += f"{launch} .\n"
        if len(self._owed) > _OWED:
            self._say("")
            self._owed = ""

    def close(self) -> None:
        """End it; launches that could not be ended are left to it for a moment. It may wait, so not in the loop."""
        if self._watchdog is not None:
            self._say("")
            _end(self._watchdog, patience_s=_GONE_S if self._listed else 0)

    def _begin(self) -> None:
        if self._watchdog is not None:
            _log.warning("the watchdog (pid %d) has died or hangs; another one takes its place", self._watchdog.pid)
            self._watchdog.kill()  # before its stdin ends, which it would take for our own end
            _end(self._watchdog)
            self._watchdog = None
        self._owed = ""
        try:
            self._watchdog = _started(self._receipts)
        except OSError as error:
            if str(error) != self._lacking:
                self._lacking = str(error)
                _log.warning("no watchdog, so a kill of this program leaves its agents until its next start: %s", error)
        for line in self._listed.values():
            self._say(line)

    def _say(self, line: str) -> bool:
        if self._watchdog is None or self._watchdog.stdin is None:
            return False
        try:
            # So little is written whole or not at all.
            if self._watchdog.stdin.write((self._owed + line).encode()) is None:
                return False
        except OSError:
            return False
        self._owed = ""
        return True


def _started(receipts: Path) -> subprocess.Popen[bytes]:
    """Start one that holds nothing of ours: no descriptor, no terminal, no folder.

    Raises:
        OSError: it cannot be started.

    """
    if not sys.executable or getattr(sys, "frozen", False):
        raise OSError("this program is not run by a Python interpreter")
    arguments = [processes.__file__, belonging.__file__, sweeping.__file__, receipts, os.getpid()]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, _DEAF_TO)  # which a program inherits
    try:
        watchdog = subprocess.Popen(  # noqa: S603 - a file of ours
            [sys.executable, "-I", "-S", _WATCHDOG, *map(str, arguments)],
            bufsize=0,
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    if watchdog.stdin is not None:
        os.set_blocking(watchdog.stdin.fileno(), False)
        with suppress(OSError):  # so that all launches of a large desk fit in before it reads
            fcntl.fcntl(watchdog.stdin, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
    return watchdog


def _end(watchdog: subprocess.Popen[bytes], patience_s: float = 0) -> None:
    """Close its stdin, wait for it if there is something that it has to do, then kill it; it is reaped."""
    if watchdog.stdin is not None:
        watchdog.stdin.close()
    with suppress(subprocess.TimeoutExpired):
        watchdog.wait(patience_s)
    watchdog.kill()
    with suppress(subprocess.TimeoutExpired):
        watchdog.wait(_GONE_S)
