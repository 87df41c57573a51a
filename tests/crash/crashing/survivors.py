"""Finds every process that descends from a round, however it was started, by a word in its environment."""

import os
import select
import signal
import time
from contextlib import suppress
from pathlib import Path

COOKIE = "CRASH_SUITE_ROUND"
VISIBLE = Path("/proc/self/environ").exists() and hasattr(os, "pidfd_open")
"""Whether this system shows the environment of a process; elsewhere nothing is found."""


class Survivor:
    """A living process, held by a descriptor, so that its pid cannot become another's meanwhile."""

    def __init__(self, pid):
        self.fd = os.pidfd_open(pid)
        self.pid = pid

    def carries(self, cookie):
        with suppress(OSError):
            return f"{COOKIE}={cookie}".encode() in Path(f"/proc/{self.pid}/environ").read_bytes().split(b"\0")
        return False

    @property
    def command(self):
        with suppress(OSError):
            return Path(f"/proc/{self.pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return ""

    def kill(self):
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.fd, signal.SIGKILL)

    def close(self):
        os.close(self.fd)


def survivors(cookie, within_s):
    """The commands of those that are not gone in time; they are ended then."""
    until = time.monotonic() + within_s
    while found := _living(cookie):
        try:
            _wait_for_any(found, until)
            if time.monotonic() >= until:
                commands = [one.command for one in found]
                for one in found:
                    one.kill()
                return commands
        finally:
            for one in found:
                one.close()
    return []


def _wait_for_any(found, until):
    poll = select.poll()
    for one in found:
        poll.register(one.fd, select.POLLIN)
    poll.poll(1000 * max(0.0, until - time.monotonic()))


def _living(cookie):
    found = []
    for process in Path("/proc").glob("[1-9]*") if VISIBLE else ():
        with suppress(OSError):
            one = Survivor(int(process.name))
            if one.carries(cookie):
                found.append(one)
            else:
                one.close()
    return found
