"""Tell processes apart for good: a process id alone is handed out again, together with a start time it is not.

It imports nothing but the standard library and nothing of this project, so that a program which must
start in an instant can load it by its path.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class ProcessMark(NamedTuple):
    """One process for all time: `started` is its start token, the rest says where its `pid` counts.

    Any text is empty where the system does not tell (macOS has no /proc); such a mark is never proven.
    """

    pid: int
    started: str
    boot: str
    namespace: str

    @property
    def alive(self) -> bool | None:
        """Whether that very process lives; None when that cannot be told from here.

        A boot that is over ended all its processes; of another machine or container nothing is known.
        """
        if not self.pid or not self.started or not self.boot:
            return None
        if self.boot != boot_id():
            return None
        if self.namespace != pid_namespace():
            return None
        return start_token(self.pid) == self.started


def mark_of(pid: int) -> ProcessMark:
    """The mark of a process that runs here; one that does not has an empty `started`."""
    return ProcessMark(pid, start_token(pid), boot_id(), pid_namespace())


def start_token(pid: int) -> str:
    """When a process began, in ticks since the machine did (proc(5), `stat`, field 22).

    `""` when there is none, or when it has ended and only waits to be reaped.
    """
    try:
        status = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    # The second field is a name in parentheses that may hold anything, so the count begins behind it.
    fields = status.rpartition(b")")[2].split()
    return "" if fields[0] in (b"Z", b"X") else fields[19].decode()


@cache
def boot_id() -> str:
    """What tells this run of the machine from every other one, or `""`."""
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""


@cache
def pid_namespace() -> str:
    """Where process ids count as they do here, such as `pid:[4026531836]`, or `""`."""
    try:
        return str(Path("/proc/self/ns/pid").readlink())
    except OSError:
        return ""


def signal_process(mark: ProcessMark, number: int) -> bool:
    """Signal that very process and no other; False when it is gone or cannot be proven to be it.

    Raises:
        PermissionError: it is not ours to signal.

    """
    try:
        handle = os.pidfd_open(mark.pid)
    except ProcessLookupError:
        return False
    except (AttributeError, OSError):
        # The system has none (before Linux 5.3), or no descriptor is left: then the proof is only as fresh as can be.
        return bool(mark.alive) and _sent(os.kill, mark.pid, number)
    try:
        # Whatever the descriptor names cannot be replaced any more, so the proof holds for the signal.
        return bool(mark.alive) and _sent(signal.pidfd_send_signal, handle, number)
    finally:
        os.close(handle)


def _sent(send: Callable[[int, int], None], target: int, number: int) -> bool:
    try:
        send(target, number)
    except ProcessLookupError:
        return False
    return True
