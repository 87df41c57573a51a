"""Start programs, see what they use, and make sure that each of them has ended, whatever happens to the measurement."""

from __future__ import annotations

import os
import select
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from benchmarks.interrupts import held

LINUX = Path("/proc/self").is_dir()
"""Whether the CPU time and the memory of another process can be read here."""

_LONGEST_S = 600.0
_GRACE_S = 5.0
_KILL_S = 10.0


class Ended(Exception):
    """A program ended, or hung and was killed, in the middle of a measurement; the text has the end of its stderr."""


class Program:
    """A child that runs, by its pipes."""

    def __init__(self, pid: int, stdin: int, stdout: int, stderr: BinaryIO) -> None:
        """`running` makes one."""
        self.stdin = stdin
        self.pid = pid
        self._stdout = stdout
        self._stderr = stderr

    def read(self) -> bytes:
        """Bytes of its stdout, as they come.

        Raises:
            Ended: it closed its stdout.

        """
        chunk = os.read(self._stdout, 1 << 20)
        if not chunk:
            self._stderr.seek(0)
            raise Ended(self._stderr.read()[-2000:].decode(errors="replace") or "It said nothing on stderr.")
        return chunk

    def readable(self, within_s: float) -> bool:
        """Whether something comes on its stdout, or its end, within so many seconds."""
        return bool(select.select([self._stdout], [], [], max(0.0, within_s))[0])

    def cpu_s(self) -> float:
        """The CPU time that it used so far, without its children; 0 where that cannot be read."""
        # The clock of another process, as clock_getcpuclockid(3) makes it on Linux; /proc counts in ticks of 10 ms.
        return time.clock_gettime((~self.pid << 3) | 2) if LINUX else 0.0

    def rss_mb(self) -> float:
        """The memory that it holds, in MiB; 0 where that cannot be read."""
        if not LINUX:
            return 0.0
        pages = Path(f"/proc/{self.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20

    def forget_peak(self) -> None:
        """Have `peak_rss_mb` begin anew."""
        if LINUX:
            Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def peak_rss_mb(self) -> float:
        """The most that it has held, in MiB; 0 where that cannot be read."""
        if not LINUX:
            return 0.0
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024


@contextmanager
def running(argv: Sequence[str], env: Mapping[str, str] | None = None) -> Iterator[Program]:
    """Run a program; leaving closes its stdin, and kills it when that does not end it.

    It is killed as well when its measurements take longer than ten minutes.
    """
    with tempfile.TemporaryFile() as stderr, ExitStack() as ending:
        pipe = subprocess.PIPE
        with held():
            process = subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=stderr, bufsize=0, env=env)
            ending.callback(_end, process)
        limit = threading.Timer(_LONGEST_S, process.kill)
        limit.daemon = True
        ending.callback(limit.cancel)
        limit.start()
        with process.stdin as stdin, process.stdout as stdout:  # type: ignore[union-attr] # they are pipes
            yield Program(process.pid, stdin.fileno(), stdout.fileno(), stderr)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(_KILL_S)
