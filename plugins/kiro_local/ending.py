"""Tell the end of a child by a descriptor that becomes readable, without a thread for each and without reaping it."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from contextlib import suppress

_PACE_S = 0.02


def ending(child: subprocess.Popen[bytes]) -> int:
    """A descriptor that becomes readable when the child has ended: a pidfd, else a pipe that our reaper closes.

    Linux has pidfds since 5.3; macOS and some sandboxes have none.
    """
    try:
        return os.pidfd_open(child.pid)
    except (AttributeError, OSError):
        return _reaper.watch(child)


def signal_group(child: subprocess.Popen[bytes], number: int) -> None:
    """Signal everything in the group of a child that was not reaped.

    Until its leader is reaped, the kernel gives the group's number to nobody else; afterwards it may,
    so then nothing is signalled.
    """
    if child.returncode is None:
        _signal(child.pid, number)


def _signal(group: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # macOS refuses where only the ended leader is left
        os.killpg(group, number)


class _Reaper:
    """One thread for all children; it lives only while there is a child to watch."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._watched: dict[subprocess.Popen[bytes], int] = {}

    def watch(self, child: subprocess.Popen[bytes]) -> int:
        ours, its = os.pipe()
        with self._lock:
            self._watched[child] = its
            if len(self._watched) == 1:
                threading.Thread(target=self._run, name="kiro-local-reaper", daemon=True).start()
        return ours

    def _run(self) -> None:
        while True:
            with self._lock:
                for child in [child for child in self._watched if _has_ended(child)]:
                    os.close(self._watched.pop(child))
                if not self._watched:
                    return
            time.sleep(_PACE_S)  # no call waits for any of several children and leaves those of others alone


def _has_ended(child: subprocess.Popen[bytes]) -> bool:
    if hasattr(os, "waitid"):
        try:
            return os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        except ChildProcessError:  # somebody else reaped it
            return True
    # macOS before Python 3.13 can only ask by reaping: its group is ended in the next breath, while the
    # number cannot have come round yet.
    if child.poll() is None:
        return False
    _signal(child.pid, signal.SIGKILL)
    return True


_reaper = _Reaper()
